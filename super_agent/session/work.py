"""A run's work as the driver sees it, whoever does it: the team or the executor alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from super_agent.core.events import EndReason
from super_agent.session.run_state import WorkState

Boundary = Callable[[int, WorkState], None]
"""Told the number of complete turns and the state to go on from."""


@dataclass(slots=True)
class Work:
    """Work under way: how to start it, how to stop it from the event loop, how many turns it has had."""

    start: Callable[[], Awaitable[tuple[EndReason, str]]]
    stop: Callable[[EndReason, str], None]
    turns: Callable[[], int]
