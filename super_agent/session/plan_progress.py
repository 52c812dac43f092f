"""The planner's plan as its steps, and where the run stands with it.

The team works on the plan as a whole and never says which step it is at, so what is known is told: the turn, and what
the last check said.
"""

import re
from dataclasses import dataclass
from typing import Literal

from super_agent.core import events as ev
from super_agent.core.sanitize import sanitize

_STEP = re.compile(r"^ {0,3}(?:\d{1,2}[.)]|[-*•])\s+(?P<step>\S.*)$", re.MULTILINE)

Check = Literal["", "passed", "failed"]


def steps_of(text: str) -> tuple[str, ...]:
    """The items of a numbered or dashed list, in their order."""
    return tuple(match["step"].strip() for match in _STEP.finditer(text))


@dataclass(slots=True)
class PlanProgress:
    """Takes a run's events in their order. `check` is empty until one has run."""

    steps: tuple[str, ...] = ()
    turn: int = 0
    check: Check = ""
    ended: bool = False

    def add(self, event: ev.Event) -> bool:
        """Whether something is another than before."""
        before = (self.steps, self.turn, self.check, self.ended)
        if isinstance(event, ev.MessagePosted) and event.speaker == "planner":
            self.steps = tuple(sanitize(step) for step in steps_of(event.text))
        elif isinstance(event, ev.TurnStarted):
            self.turn, self.ended = event.number, False
        elif isinstance(event, ev.CheckFinished):
            self.check = "passed" if event.passed else "failed"
        elif isinstance(event, ev.RunEnded):
            self.ended = True
        return before != (self.steps, self.turn, self.check, self.ended)
