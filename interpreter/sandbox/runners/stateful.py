"""What the Python and the shell runner share: a process that takes one piece of work at a time and keeps its state.

Work goes in on one pipe, and on another come the lines `RUN started` and `RUN ended WORD`. RUN is a fresh random
number for each piece, so that nothing written earlier can pass for its answer. The code may share the process that
answers: it can lie about its own run, and about no other.
"""

import os
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from interpreter.sandbox.bubblewrap.process import DRIBBLE_BYTES, GATHER_S
from interpreter.sandbox.protocol import CodeOutcome, OutcomeKind, SandboxPolicy
from interpreter.sandbox.runners.dialog import Dialog
from interpreter.sandbox.start import start
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.pipes import remaining, wait_readable
from super_agent.core.text import last_line

START_TIMEOUT_S = 20.0
ACCEPT_TIMEOUT_S = 2.0
"""For a living process to begin with a piece of work; one that does not is still busy with an earlier one."""
SOFTLY_S = 1.0
"""After an interrupt, before what does not heed it is killed, sparing the process that keeps the state."""
GRACE_S = 2.0
"""After an interrupt, before everything is killed."""
POLL_EVERY_S = 0.25
CLOSE_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Run:
    """One piece of work under way; times are of `time.monotonic`."""

    name: str
    on_output: Callable[[bytes], None]
    began: float
    timeout_s: float
    cancellation: Cancellation
    total: int = 0
    accepted: bool = False
    ending: Literal["", "interrupted", "timed_out"] = ""
    next_step: float = float("inf")
    """When the next, harder step is due."""
    pressed: int = 0

    def __post_init__(self) -> None:
        self.next_step = self.began + self.timeout_s

    def outcome(self, kind: OutcomeKind, code: int | None, detail: str, *, state_lost: bool = False) -> CodeOutcome:
        """How it ended."""
        return CodeOutcome(kind, code, time.monotonic() - self.began, self.total, detail, state_lost)


class StatefulRunner(ABC):
    """A `Runner`, but for what its language has of its own. After `close` it cannot be used again."""

    language: str
    interrupted_detail: str

    def __init__(self, policy: SandboxPolicy) -> None:
        self._policy = policy
        self._dialog: Dialog | None = None
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._wake_lock = threading.Lock()
        self._closed = False
        self._was_ready = False
        self._lost = ""
        """What ended the process since the last run, for the outcome of the next."""
        self._busy = threading.RLock()
        """Held while a run uses the pipes; whoever holds it may free them."""

    @abstractmethod
    def command(self) -> list[str]:
        """What to start; it answers `ready` on `@ANSWER` when it is. See `start.start`."""

    @abstractmethod
    def request(self, run: str, code: str) -> bytes:
        """A piece of work as the process reads it."""

    @abstractmethod
    def soften(self, dialog: Dialog, run: str) -> None:
        """Interrupt what runs, keeping the state."""

    @abstractmethod
    def soften_again(self, dialog: Dialog, run: str) -> None:
        """Asked for at each look until the run heeds."""

    @abstractmethod
    def harden(self, dialog: Dialog) -> None:
        """End what did not heed that, if the state can be kept even so."""

    @abstractmethod
    def verdict(self, word: str) -> tuple[OutcomeKind, int | None]:
        """What the process's last word means."""

    def start(self) -> None:
        """Make ready; raises `SandboxUnavailable`."""
        with self._busy:
            # One look decides: a death noticed here only would go untold if it were looked for again elsewhere.
            why_lost = self._why_lost()
            if self._dialog is None or why_lost:
                self._lost = self._lost or why_lost
                self._drop()
                self._dialog = self._started()

    def run(
        self,
        code: str,
        on_output: Callable[[bytes], None],
        timeout_s: float,
        cancellation: Cancellation | None = None,
    ) -> CodeOutcome:
        """See `Runner.run`."""
        cancellation = cancellation or Cancellation()
        with self._busy, cancellation.ending(self._wake_up):
            began = time.monotonic()
            for _ in range(2):
                run = Run(secrets.token_hex(8), on_output, began, timeout_s, cancellation)
                try:
                    self.start()
                except SandboxUnavailable as error:
                    if self._closed or not self._was_ready:
                        raise
                    # It worked before, so this is the code's doing: it may have removed its own `.venv`.
                    return self._dead(run, "died", error.what)
                if self._dialog is None:
                    break
                outcome = self._carried_out(self._dialog, run, code)
                if outcome is not None:
                    lost, self._lost = self._lost, ""
                    return _with_loss(outcome, lost)
                self._lost = (
                    self._lost or "what an earlier run left behind kept the process busy, so it was started anew"
                )
                self._drop()
        raise SandboxUnavailable(f"the {self.language} process takes no work", fix="Start the command again")

    @property
    def pid(self) -> int | None:
        """Of the outermost process, whose end is the end of all others; None before the first start."""
        dialog = self._dialog
        return None if dialog is None else dialog.process.pid

    def _wake_up(self) -> None:
        """Have the current run look at once; from any thread."""
        with self._wake_lock:
            if not self._closed:
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """End everything that was started; idempotent, from any thread."""
        if self._closed:
            return
        with self._wake_lock:
            self._closed = True
            os.eventfd_write(self._wake, 1)
        dialog = self._dialog
        if dialog is not None:
            dialog.process.kill()
        # A run stuck in its caller's `on_output` keeps its descriptors: leaking them beats freeing them under it.
        if self._busy.acquire(timeout=CLOSE_TIMEOUT_S):
            try:
                self._drop()
                os.close(self._wake)
            finally:
                self._busy.release()

    def _carried_out(self, dialog: Dialog, run: Run, code: str) -> CodeOutcome | None:
        """None where the process does not begin with it."""
        dialog.process.drain(lambda _stale: None)  # what something left behind printed since
        dialog.answers()
        if not dialog.say(self.request(run.name, code), ACCEPT_TIMEOUT_S):
            return None if dialog.process.exit_code() is None else self._gone(run, dialog)
        while True:
            fds = [dialog.process.output_fd, dialog.answer_fd, self._wake]
            wait_readable(fds, min(POLL_EVERY_S, remaining(run.next_step)))
            self._clear_wake()
            word = _heard(dialog, run)
            drained = dialog.process.drain(run.on_output)
            run.total += drained
            if word is not None:
                return self._answered(run, word)
            if dialog.broken or dialog.process.exit_code() is not None:
                return self._gone(run, dialog)
            if not run.accepted and time.monotonic() >= run.began + ACCEPT_TIMEOUT_S:
                return None
            if self._pressed(dialog, run):
                return self._dead(run, run.ending or "died", "it did not heed the interrupt and was killed")
            if 0 < drained < DRIBBLE_BYTES:
                wait_readable([dialog.answer_fd, self._wake], GATHER_S)

    def _pressed(self, dialog: Dialog, run: Run) -> bool:
        """Interrupt a run whose time has come, then press harder; whether all of that was of no use."""
        now = time.monotonic()
        if run.pressed == 0 and (run.cancellation.cancelled or now >= run.next_step):
            run.ending = "interrupted" if run.cancellation.cancelled else "timed_out"
            run.pressed, run.next_step = 1, now + SOFTLY_S
            self.soften(dialog, run.name)
        elif run.pressed == 1 and now >= run.next_step:
            run.pressed, run.next_step = 2, now + GRACE_S - SOFTLY_S
            self.harden(dialog)
        elif run.pressed == 1:
            self.soften_again(dialog, run.name)
        return run.pressed == 2 and now >= run.next_step

    def _answered(self, run: Run, word: str) -> CodeOutcome:
        kind, code = self.verdict(word)
        if run.ending and kind != "finished":
            after = f"after {run.timeout_s:g} s, the limit for one run" if run.ending == "timed_out" else "by the user"
            return run.outcome(run.ending, code, f"it was interrupted {after}; {self.interrupted_detail}")
        return run.outcome(kind, code, "")

    def _gone(self, run: Run, dialog: Dialog) -> CodeOutcome:
        return self._dead(run, run.ending or "died", dialog.why_dead(self.language))

    def _dead(self, run: Run, kind: OutcomeKind, detail: str) -> CodeOutcome:
        self._drop()
        return run.outcome(kind, None, detail, state_lost=True)

    def _why_lost(self) -> str:
        """What ended the process since the last run, or empty."""
        dialog = self._dialog
        if dialog is None or dialog.process.exit_code() is None:
            return ""
        why = dialog.why_dead(self.language)
        return f"the {self.language} process had ended before this run ({why}) and was started anew"

    def _started(self) -> Dialog | None:
        if self._closed:
            raise SandboxUnavailable(f"the {self.language} process was closed", fix="Start the command again")
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        try:
            process = start(self._policy, self.command(), request_fd=request_read, answer_fd=answer_write)
        except BaseException:
            os.close(request_write)
            os.close(answer_read)
            raise
        finally:
            os.close(request_read)
            os.close(answer_write)
        os.set_blocking(request_write, False)
        os.set_blocking(answer_read, False)
        dialog = Dialog(process, request_write, answer_read)
        self._await_ready(dialog)
        process.settle()
        return dialog

    def _await_ready(self, dialog: Dialog) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not dialog.broken and not self._closed and time.monotonic() < deadline:
            wait_readable([dialog.answer_fd], POLL_EVERY_S)
            if ["ready"] in dialog.answers():
                self._was_ready = True
                return
        said: list[bytes] = []
        dialog.process.kill()
        dialog.process.drain(said.append)
        dialog.close()
        raise SandboxUnavailable(
            f"{self.language} did not start in the sandbox: {last_line(b''.join(said))}",
            fix="See what the sandbox can do here, or name another Python with --python",
        )

    def _drop(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()

    def _clear_wake(self) -> None:
        with suppress(BlockingIOError):  # nobody called
            os.eventfd_read(self._wake)


def _heard(dialog: Dialog, run: Run) -> str | None:
    """The process's last word on this run, if it has come."""
    for words in dialog.answers():
        if words == [run.name, "started"]:
            run.accepted = True
        elif words[:2] == [run.name, "ended"]:
            return words[2] if len(words) > 2 else ""
    return None


def _with_loss(outcome: CodeOutcome, lost: str) -> CodeOutcome:
    if not lost:
        return outcome
    detail = f"{lost}; {outcome.detail}" if outcome.detail else lost
    return CodeOutcome(
        outcome.kind, outcome.exit_code, outcome.duration_s, outcome.output_bytes, detail, state_lost=True
    )
