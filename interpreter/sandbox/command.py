"""One shell command in a fresh sandbox: the check, the setup, and the question whether a program exists inside.

It looks at a silent command again and again: no descriptor that a wait could include tells of a `Process` its end.
"""

import math
import shlex
import shutil
import threading
import time
from collections.abc import Callable
from typing import Literal

from interpreter.sandbox.bubblewrap.process import DRIBBLE_BYTES, GATHER_S
from interpreter.sandbox.programs import program_of
from interpreter.sandbox.protocol import CodeOutcome, OutcomeKind, SandboxPolicy
from interpreter.sandbox.start import Process, start
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.pipes import remaining, wait_readable
from super_agent.core.text import last_line

SHELL = "/bin/bash"
POLL_EVERY_S = 0.05
"""How late an interrupt or an end without output may be seen."""
PROBE_TIMEOUT_S = 20.0
MAX_REASON_BYTES = 4096


class Command:
    """Runs one command to its end; `interrupt` ends it from any thread."""

    def __init__(self, policy: SandboxPolicy) -> None:
        self._policy = policy
        self._interrupted = threading.Event()

    def run(
        self, command: str, on_output: Callable[[bytes], None], timeout_s: float, silence_s: float = math.inf
    ) -> CodeOutcome:
        """Run it with bash, for so long in all and without any output; everything it started ends with it.

        Raises `SandboxUnavailable`.
        """
        began = time.monotonic()
        process = start(self._policy, [SHELL, "-c", command.replace("\0", "")])
        said = bytearray()

        def hear(data: bytes) -> None:
            said.extend(data[: MAX_REASON_BYTES - len(said)])
            on_output(data)

        try:
            ended_by, total = self._follow(process, hear, began + timeout_s, silence_s)
            code = process.exit_code()
            if process.never_ran():
                raise SandboxUnavailable(f"bubblewrap could not start the command: {last_line(bytes(said))}")
            process.kill()
            total += process.drain(hear)
        finally:
            process.close()
        took = time.monotonic() - began
        if process.complaint:
            return CodeOutcome(
                "died", None, took, total, f"the sandbox was ended: {process.complaint}", state_lost=True
            )
        if ended_by is not None:
            limit = f"end within {timeout_s:g} s" if took >= timeout_s else f"say anything for {silence_s:.0f} s"
            detail = f"it did not {limit}" if ended_by == "timed_out" else "by the user"
            return CodeOutcome(ended_by, None, took, total, detail, state_lost=True)
        return CodeOutcome("finished" if code == 0 else "failed", code, took, total, state_lost=True)

    def _follow(
        self, process: Process, hear: Callable[[bytes], None], deadline: float, silence_s: float
    ) -> tuple[OutcomeKind | None, int]:
        """Until it ends, or what ended it; and how many bytes came meanwhile."""
        heard, total = time.monotonic(), 0
        while process.exit_code() is None:
            wait_readable([process.output_fd], min(POLL_EVERY_S, remaining(deadline)))
            drained = process.drain(hear)
            total += drained
            heard = time.monotonic() if drained else heard
            if 0 < drained < DRIBBLE_BYTES:
                self._interrupted.wait(GATHER_S)
            if self._interrupted.is_set():
                return "interrupted", total
            if time.monotonic() >= min(deadline, heard + silence_s):
                return "timed_out", total
        return None, total

    def interrupt(self) -> None:
        """End it now; the outcome is then "interrupted". It cannot be used again."""
        self._interrupted.set()

    def close(self) -> None:
        """End what still runs; idempotent."""
        self.interrupt()


def run_command(
    policy: SandboxPolicy, command: str, on_output: Callable[[bytes], None], timeout_s: float
) -> CodeOutcome:
    """Run one command that nobody wants to interrupt; raises `SandboxUnavailable`."""
    return Command(policy).run(command, on_output, timeout_s)


def find_program(policy: SandboxPolicy, command: str) -> Literal["found", "hidden", "missing"]:
    """Whether the first word of a shell command exists inside; "hidden" is one that exists outside only.

    Words that only the shell can judge (a builtin, a variable, a subshell) count as found.
    """
    program = program_of(command)
    if not program:
        return "found"
    outcome = run_command(policy, f"command -v -- {shlex.quote(program)}", lambda _: None, PROBE_TIMEOUT_S)
    if outcome.exit_code == 0:
        return "found"
    return "hidden" if shutil.which(program) else "missing"
