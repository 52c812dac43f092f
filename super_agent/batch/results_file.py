"""`results.jsonl`: one line for each attempt, written by the driver alone, on disk before it is counted."""

import os
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.batches.attempts import Attempt, AttemptOutcome, read_attempts
from super_agent.core.closing import HoldsDescriptor
from super_agent.core.errors import ExitCode, SuperAgentError, UsageError
from super_agent.core.locks import try_lock

TRANSIENT = (int(ExitCode.SERVER), int(ExitCode.EXECUTOR))
"""What may go better at another time or on another node."""


class BatchFailed(SuperAgentError):
    """The batch cannot go on; what it wrote before is whole, and the same command goes on."""


@dataclass(slots=True)
class LastAttempt:
    """What is known of a task from its newest line."""

    hash: str
    attempt: int
    final: bool
    outcome: AttemptOutcome
    is_verdict: bool

    def counts_for(self, digest: str) -> bool:
        """Whether the task need not be run again under this hash."""
        return self.hash == digest and self.final and self.is_verdict


class ResultsFile(HoldsDescriptor):
    """Open for appending; a second driver in the same folder is refused."""

    def __init__(self, path: Path) -> None:
        """Raises `UsageError` where another driver has it or a line is not one of ours, OSError."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not try_lock(self._fd):
                raise UsageError(
                    f"another batch works in {path.parent}", fix="Wait for it, end it, or name another --out"
                )
            self._end = self._mend()
            self.last: dict[str, LastAttempt] = {}
            for attempt in read_attempts(path):
                self._know(attempt)
        except BaseException:
            os.close(self._fd)
            raise

    def counts(self, name: str, digest: str) -> bool:
        """Whether the task has a result under this hash and need not be run again."""
        last = self.last.get(name)
        return last is not None and last.counts_for(digest)

    def append(self, attempt: Attempt) -> None:
        """Write a line and return when it is on disk; raises `BatchFailed`, and then nothing of it stays."""
        data = attempt.model_dump_json().encode() + b"\n"
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._fd, data[written:], self._end + written)
            os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, self._end)
            raise cannot_write(self.path, error) from error
        self._end += len(data)
        self._know(attempt)

    def _know(self, attempt: Attempt) -> None:
        self.last[attempt.id] = LastAttempt(
            attempt.hash, attempt.attempt, attempt.final, attempt.outcome, attempt.is_verdict
        )  # fmt: skip

    def _mend(self) -> int:
        """Cut off a last line that was not written to its end: it was never counted."""
        size = os.fstat(self._fd).st_size
        end, step = size, 65536
        while end > 0:
            start = max(0, end - step)
            at = os.pread(self._fd, end - start, start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._fd, end)
        return end


def cannot_write(path: Path, error: OSError) -> BatchFailed:
    """In one line, with what to do."""
    return BatchFailed(
        f"{path} cannot be written: {error.strerror or error}",
        fix="Make room, and give the same command again: it goes on where it stood",
    )
