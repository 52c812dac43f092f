"""What is given to the team, or to the executor alone, to work on, and how that work is started and stopped."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from super_agent.core.events import EndReason
from super_agent.session.run_context import ModelSession, RunContext
from super_agent.session.run_state import Restored, WorkState

Boundary = Callable[[int, WorkState], None]
"""Told the number of complete turns and the state to go on from."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the team, or the executor alone, is given to work on and with; `restored` is where it had stood.

    `user_lines` gives what the user said since its last call, `project` is what models are told of the project.
    """

    context: RunContext
    model_session: ModelSession
    task: str
    check: str | None
    user_lines: Callable[[], Sequence[str]]
    boundary: Boundary
    restored: Restored | None
    project: str


@dataclass(slots=True)
class RunHandle:
    """Work under way: how to start it, how to stop it from the event loop, how many turns it has had."""

    start: Callable[[], Awaitable[tuple[EndReason, str]]]
    stop: Callable[[EndReason, str], None]
    turns: Callable[[], int]
