"""The executor alone on a whole task: instruct, check, tell what failed, again, within the same limits as a team."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from interpreter.check import Check, CheckResult
from interpreter.check_output import essence
from interpreter.executor import Executor
from interpreter.report import ENDED_TEXT, Report
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted, LimitReached
from super_agent.core.events import Emit, EndReason, Resampled, TurnStarted, UserSpoke
from super_agent.core.model.chat import Sampling
from super_agent.core.model.sampling import PATIENCE, drawn


@dataclass(frozen=True, slots=True)
class SoloEnd:
    """Why a solo run ended, with one line for the user."""

    reason: EndReason
    detail: str


@dataclass(slots=True)
class SoloState:
    """What a run knows at a turn boundary beside the executor's conversation.

    `began_green` is None before the first check (or without one). `last` is the newest failure: its signature and the
    files that were changed before it. `first` is the first instruction, `again` how often the executor began anew with
    it, `fruitless` how many of the newest of these attempts brought no failure that was not the last one.
    """

    instruction: str = ""
    turns: int = 0
    began_green: bool | None = None
    changed: bool = False
    last: tuple[str, str] | None = None
    first: str = ""
    again: int = 0
    fruitless: int = 0


@dataclass(slots=True)
class SoloRun:
    """One run; a turn is one instruction. All parts are owned, and closed, by the caller.

    `state` and the executor's conversation are its whole state: a fresh object with both goes on where it stood.
    """

    executor: Executor
    check: Check | None
    emit: Emit
    max_turns: int
    user_lines: Callable[[], Sequence[str]] = tuple
    at_turn_start: Callable[[], None] = lambda: None
    at_boundary: Callable[[int], None] = lambda _turns: None
    """Called with the number of turns that are complete, whenever the state is one to go on from."""
    state: SoloState = field(default_factory=SoloState)
    instruction: str = ""
    """What the user adds to a run that had ended."""
    project: str = ""
    """What is known of the project beside its files, for the first instruction."""
    sampling: Sampling = field(default_factory=lambda: Sampling(0.0, 0))
    """What the replies of further attempts are drawn with, before it rises."""
    _stopped: SoloEnd | None = field(default=None)
    _cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def turns(self) -> int:
        """How many turns have begun."""
        return self.state.turns

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
        self._cancellation.cancel()

    def _run(self, task: str) -> SoloEnd:
        if self.state.again:
            self.executor.draw(drawn(self.sampling, self.state.again))
        if not self.state.instruction:
            self._open(task)
        elif self.instruction:
            self._go_on(self.instruction)
        while self.state.turns < self.max_turns:
            self.at_boundary(self.state.turns)
            report = self._turn()
            if (end := self._judge(task, report)) is not None:
                self.at_boundary(self.state.turns)
                return end
        self.at_boundary(self.state.turns)
        return SoloEnd("turn_limit", f"{self.max_turns} turns were not enough; raise --max-turns to go on")

    def _open(self, task: str) -> None:
        """Run the check once before the first turn."""
        self.executor.conversation.task = task.strip()
        before = self._run_check("before")
        self.state.began_green = None if before is None else before.passed
        told = self._check_text(before) if before is not None and not before.passed else ""
        self.state.instruction = "\n\n".join(part for part in (task, self.project, told) if part)
        self.state.first = self.state.instruction

    def _go_on(self, instruction: str) -> None:
        """Go on with a run that had ended: what was judged before is not judged again."""
        before = self._run_check("before")
        began_green = None if before is None else before.passed
        self.state = SoloState(instruction, self.state.turns, began_green, first=instruction, again=self.state.again)
        self.executor.conversation.task += f"\n\n{instruction}"

    def _judge(self, task: str, report: Report) -> SoloEnd | None:
        """Whether the turn ended the run; if not, the next instruction is set."""
        state, result = self.state, self._run_check("after")
        if result is None:
            return SoloEnd("finished" if report.ended == "finished" else "no_progress", ENDED_TEXT[report.ended])
        if result.passed and not state.began_green:
            return SoloEnd("check_passed", "the check failed before the first turn and passes now")
        if result.passed and state.changed and report.ended == "finished":
            return SoloEnd("finished", "the executor ended by itself after a change, and the check is green")
        # Without a change since the same failure, another try would only repeat it.
        failure = (result.signature, "" if not report.changes else ",".join(report.changes.paths))
        if failure == state.last and not report.changes:
            return self._begin_anew("the check ended in the same way twice and nothing was changed")
        if state.last is None or state.last[0] != result.signature:
            state.fruitless = 0
        state.last = failure
        state.instruction = self._next_instruction(task, report, result)
        return None

    def _begin_anew(self, why: str) -> SoloEnd | None:
        """Another attempt at the first instruction, drawn otherwise, until so many brought nothing."""
        state = self.state
        if state.fruitless >= PATIENCE:
            return SoloEnd("no_progress", f"{why}, and so it was in {PATIENCE} further attempts drawn otherwise")
        state.again, state.fruitless = state.again + 1, state.fruitless + 1
        state.instruction = state.first or state.instruction
        now = drawn(self.sampling, state.again) or self.sampling
        self.executor.begin_anew(now)
        if state.turns < self.max_turns:
            self.emit(Resampled(state.again + 1, why, now.temperature, now.seed, None))
        return None

    def _next_instruction(self, task: str, report: Report, result: CheckResult) -> str:
        """What failed; where the check is green as it was, what is still missing for an end."""
        if not result.passed:
            return self._check_text(result)
        if not self.state.changed:
            return "Nothing was changed yet. " + task
        return f"The check passes, but the work was not ended: {ENDED_TEXT[report.ended]}. Go on with it: {task}"

    def _turn(self) -> Report:
        self.state.turns += 1
        self.emit(TurnStarted(self.state.turns))
        self.at_turn_start()
        instruction = self.state.instruction
        for line in self.user_lines():
            self.emit(UserSpoke(line))
            instruction += f"\n\nThe user says: {line}"
        self._raise_if_stopped()
        report = self.executor.carry_out(instruction, self._cancellation)
        self.state.changed = self.state.changed or bool(report.changes)
        return report

    def _run_check(self, when: str) -> CheckResult | None:
        if self.check is None:
            return None
        result = self.check.run("before" if when == "before" else "after", self._cancellation)
        self._raise_if_stopped()
        return result

    def _check_text(self, result: CheckResult) -> str:
        output = essence(result.output, self.executor.allocation.check_output, "run the check to see them")
        return f"The check `{result.command}` {result.verdict}. Its output:\n{output}\nMake it pass."

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise Interrupted(self._stopped.detail)
