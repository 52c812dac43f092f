"""What every view of a run offers, and what it may show of the keyboard."""

from typing import Protocol

from super_agent.core.events import Stamped


class Typing(Protocol):
    """Shows what is being typed; called from the terminal's own thread."""

    def show_typing(self, question: str, typed: str) -> None:
        """The pending question (or empty) and the line so far, instead of those shown before; empty shows none."""

    def keep_typed(self, question: str, line: str) -> None:
        """A finished line stays to be read: the answer to the question, or a line for the run."""


class Renderer(Protocol):
    """A sink that can be closed; closing twice is fine."""

    @property
    def typing(self) -> Typing | None:
        """Where typed lines are shown; None where the terminal's own echo does that."""

    def __call__(self, stamped: Stamped) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the output clean."""
