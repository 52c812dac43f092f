"""The check: the user's own command, run in the sandbox, that says when the work is done."""

import hashlib
import math
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from interpreter.check_output import counts
from interpreter.code_output import OutputRecorder
from interpreter.loop_detection import steady
from interpreter.sandbox.command import Command
from interpreter.sandbox.protocol import CodeOutcome, SandboxPolicy
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import CheckFinished

MAX_SILENCE_S = 60.0
"""Of a check that took a twentieth of that before, or less: a loop without end in what a model wrote took ten minutes,
the limit for checks of any length. Programs that run tests say something at each of them."""
MAX_SLOWDOWN = 20.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How the check ended; `output` is head and tail within the limit that a model sees."""

    command: str
    passed: bool
    outcome: CodeOutcome
    output: str
    signature: str

    @property
    def command_and_output(self) -> str:
        """In which functions and files are looked for."""
        return f"{self.command}\n{self.output}"

    @property
    def score(self) -> tuple[int, int]:
        """The better the greater, as far as the output tells: tests that passed, failed ones as a negative number."""
        told = counts(self.output)
        return (told.passed, -told.failed) if told is not None else (0, 0)

    @property
    def verdict(self) -> str:
        """`passed`, or how it failed, as the end of a sentence."""
        if self.passed:
            return "passed"
        if self.outcome.kind == "timed_out":
            return f"did not end within {self.outcome.duration_s:.0f} s"
        return f"failed with exit code {self.outcome.exit_code}" if self.outcome.exit_code is not None else "was killed"


class Check:
    """Runs one command, each time in a fresh sandbox, and tells the event stream."""

    def __init__(self, command: str, policy: SandboxPolicy, recorder: OutputRecorder, *, timeout_s: float) -> None:
        self.command = command
        self._policy = policy
        self._recorder = recorder
        self._timeout_s = timeout_s
        self._longest_s: float | None = None
        """Of the runs that ended by themselves, as far as there were any."""

    def run(self, when: Literal["before", "after"], cancellation: Cancellation | None = None) -> CheckResult:
        """Run to the end, or until it is cancelled; passed means exit code 0. Raises `SandboxUnavailable`."""
        command = Command(self._policy)
        known_s = self._longest_s
        silence_s = math.inf if known_s is None else max(MAX_SILENCE_S, MAX_SLOWDOWN * known_s)
        with closing(command), (cancellation or Cancellation()).ending(command.interrupt):
            outcome, output = self._recorder.run(
                "check",
                "shell",
                self.command,
                lambda on_output: command.run(self.command, on_output, self._timeout_s, silence_s),
            )
        if outcome.exit_code is not None:
            self._longest_s = max(known_s or 0.0, outcome.duration_s)
        passed = outcome.kind == "finished" and outcome.exit_code == 0
        signature = hashlib.sha256(f"{outcome.exit_code} {steady(output)}".encode()).hexdigest()[:16]
        self._recorder.emit(CheckFinished(self.command, when, passed, outcome.exit_code, output, outcome.duration_s))
        return CheckResult(self.command, passed, outcome, output, signature)
