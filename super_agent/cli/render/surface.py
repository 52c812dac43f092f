"""What the words of a run are drawn with: plain text, or a terminal."""

from typing import Literal, Protocol

from super_agent.cli.render.renderer import Typing

Style = Literal["text", "thought", "dim", "title", "speaker", "good", "bad", "warning"]

BODY = "  "
GUTTER = "  │ "
LABEL_COLUMNS = 6


class Surface(Protocol):
    """Where text goes. `write` and `output` continue a text, everything else stands on lines of its own."""

    @property
    def typing(self) -> Typing | None:
        """Where typed lines are shown, if anywhere."""

    def gap(self) -> None:
        """One blank line, unless the output begins here or one was just written."""

    def line(self, text: str, style: Style = "text", indent: str = BODY) -> None:
        """Whole lines."""

    def field(self, label: str, text: str, style: Style = "text") -> None:
        """A line of a table: a label of at most LABEL_COLUMNS, and its text."""

    def write(self, text: str, style: Style = "text") -> None:
        """Continue a reply."""

    def output(self, text: str) -> None:
        """Continue what running code prints."""

    def code(self, text: str, language: str) -> None:
        """Whole lines of code."""

    def diff(self, text: str) -> None:
        """A unified diff."""

    def begin(self, what: str) -> None:
        """Something begins that takes time; its clock starts."""

    def progress(self, what: str, turn: int, tokens: int) -> None:
        """What it is now, without a new clock; no turn and no tokens are 0."""

    def note(self, text: str, silent_s: float = 0.0) -> None:
        """Why it takes time now, until the next progress; `silent_s`: nothing came for so long."""

    def idle(self) -> None:
        """Nothing takes time; others may write to the terminal."""

    def close(self) -> None:
        """Leave the output clean."""
