"""What a door gives to open a run, and what it gets when the run has ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from interpreter.approval import Approver
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SuperAgentError
from super_agent.core.events import Emit, RunEnded, Sink

Mode = Literal["team", "solo", "exec"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is to be done and where, beside the settings. With `yes` the setup command runs without a question.

    `session` is the id that the door chose for it (`new_session_id`); else one is made.
    """

    task: str
    workspace: Path
    mode: Mode = "team"
    check: str | None = None
    setup: str | None = None
    yes: bool = False
    python: Path | None = None
    strict_instance: bool = False
    session: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """Which session goes on: `session` or the last of `workspace`. `instruction` is added to one that had ended.

    `check` is another one from now on, "" none and None the session's own; it counts with an `instruction` only, as
    how it stands before the work is then found out anew.
    """

    session: str | None
    workspace: Path
    instruction: str | None = None
    more_turns: int | None = None
    strict_instance: bool = False
    check: str | None = None

    def check_after(self, own: str | None) -> str | None:
        """The check from now on; `own` is the session's."""
        return own if self.check is None or self.instruction is None else self.check or None


@dataclass(frozen=True, slots=True)
class ApprovalContext:
    """What an approver may need. `folder` is private and lasts; `reasons` say why a person is asked."""

    reasons: tuple[str, ...]
    emit: Emit
    folder: Path


MakeApprover = Callable[[ApprovalContext], Approver | str]
"""Called once, where settings and sandbox want a person asked; a text says why nobody can be."""


def no_lines() -> Sequence[str]:
    """Of a door at which nobody types."""
    return ()


def nothing() -> None:
    """Of a door that looks by itself."""


def disagree(_question: str) -> bool:
    """Of a door at which nobody can be asked."""
    return False


def nobody_answers(_question: str) -> bool | None:
    """Of a door at which nobody can be asked."""
    return None


def nobody(_context: ApprovalContext) -> str:
    """Of a door at which nobody can be asked."""
    return "this way of starting it asks nobody"


@dataclass(frozen=True, slots=True)
class Door:
    """How a run is seen and spoken to. Everything but `sinks` may be called from any thread of the run.

    `sinks` see each event before the next is emitted; `take_lines` gives what the person said since its last call;
    `confirm` answers a yes-or-no question, and so does `answer`, with None where nobody did; `approver` is made when it
    is known that one is needed. With `signals` the process's Ctrl-C and SIGTERM cancel the run (main thread only); a
    second Ctrl-C is not waited for.
    """

    sinks: tuple[Sink, ...]
    take_lines: Callable[[], Sequence[str]] = no_lines
    confirm: Callable[[str], bool] = disagree
    approver: MakeApprover = nobody
    cancellation: Cancellation = field(default_factory=Cancellation)
    signals: bool = False
    answer: Callable[[str], bool | None] = nobody_answers


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: its last event, its exit code, and the error that ended it, where one did."""

    ended: RunEnded
    exit_code: int
    error: SuperAgentError | None = None
