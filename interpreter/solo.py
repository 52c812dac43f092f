"""The executor alone on a whole task: instruct, check, tell what failed, again, within the same limits as a team."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from interpreter.check import Check, CheckResult
from interpreter.executor import ENDED_TEXT, Executor, Report
from super_agent.core.errors import Interrupted, LimitReached
from super_agent.core.events import Emit, EndReason, TurnStarted, UserSpoke
from super_agent.core.text import clipped


@dataclass(frozen=True, slots=True)
class SoloEnd:
    """Why a solo run ended, with one line for the user."""

    reason: EndReason
    detail: str


@dataclass(slots=True)
class SoloRun:
    """One run; a turn is one instruction. All parts are owned, and closed, by the caller."""

    executor: Executor
    check: Check | None
    emit: Emit
    max_turns: int
    user_lines: Callable[[], Sequence[str]] = tuple
    at_turn_start: Callable[[], None] = lambda: None
    turns: int = 0
    _changed: bool = False
    _stopped: SoloEnd | None = field(default=None)

    def run(self, task: str) -> SoloEnd:
        """Work until done, a limit, no progress, or `stop`; raises `SuperAgentError` for anything else."""
        try:
            return self._run(task)
        except LimitReached as limit:
            return SoloEnd("token_limit", str(limit))
        except Interrupted:
            if self._stopped is None:
                raise
            return self._stopped

    def stop(self, reason: EndReason, detail: str) -> None:
        """End the run from another thread; the first reason stands."""
        if self._stopped is None:
            self._stopped = SoloEnd(reason, detail)
        self.executor.cancel()
        if self.check is not None:
            self.check.interrupt()

    def _run(self, task: str) -> SoloEnd:
        self.executor.conversation.task = task.strip()
        before = self._run_check("before")
        instruction = task if before is None or before.passed else f"{task}\n\n{self._check_text(before)}"
        last: tuple[str, str] | None = None
        while self.turns < self.max_turns:
            report = self._turn(instruction)
            result = self._run_check("after")
            if result is None:
                return SoloEnd("finished" if report.ended == "finished" else "no_progress", ENDED_TEXT[report.ended])
            if result.passed and (before is None or not before.passed):
                return SoloEnd("check_passed", "the check failed before the first turn and passes now")
            if result.passed and self._changed and report.ended == "finished":
                return SoloEnd("finished", "the executor ended by itself after a change, and the check is green")
            # Without a change since the same failure, another try would only repeat it.
            state = (result.signature, "" if not report.changes else ",".join(report.changes.paths))
            if state == last and not report.changes:
                return SoloEnd("no_progress", "the check ended in the same way twice and nothing was changed")
            last = state
            instruction = "Nothing was changed yet. " + task if result.passed else self._check_text(result)
        return SoloEnd("turn_limit", f"{self.max_turns} turns were not enough; raise --max-turns to go on")

    def _turn(self, instruction: str) -> Report:
        self.turns += 1
        self.emit(TurnStarted(self.turns))
        self.at_turn_start()
        for line in self.user_lines():
            self.emit(UserSpoke(line))
            instruction += f"\n\nThe user says: {line}"
        self._raise_if_stopped()
        report = self.executor.carry_out(instruction)
        self._changed = self._changed or bool(report.changes)
        return report

    def _run_check(self, when: str) -> CheckResult | None:
        if self.check is None:
            return None
        result = self.check.run("before" if when == "before" else "after")
        self._raise_if_stopped()
        return result

    def _check_text(self, result: CheckResult) -> str:
        output = clipped(result.output, self.executor.shares.check_output, "run the check to see them")
        return f"The check `{result.command}` {result.verdict}. Its output:\n{output}\nMake it pass."

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise Interrupted(self._stopped.detail)
