"""The terminal's pen: colours, highlighted code and diffs, and a status line while something takes time."""

from typing import TextIO

from rich.console import Console
from rich.status import Status
from rich.syntax import Syntax
from rich.text import Text

from super_agent.cli.render_text import Style

STYLES: dict[Style, str] = {
    "text": "",
    "dim": "dim",
    "title": "bold",
    "speaker": "bold cyan",
    "good": "green",
    "bad": "bold red",
    "warning": "yellow",
    "code": "",
    "diff": "",
    "output": "bright_black",
}


class LivePen:
    """Writes to a terminal. Text is appended and never redrawn, so the scrollback stays as it was seen."""

    def __init__(self, stream: TextIO, console: Console | None = None) -> None:
        self._console = console or Console(file=stream, highlight=False, soft_wrap=True, markup=False, emoji=False)
        self._status: Status | None = None
        self._at_line_start = True

    def write(self, text: str, style: Style) -> None:
        """Continue the current line."""
        if text:
            self._settle()
            self._console.print(Text(text, STYLES[style]), end="")
            self._at_line_start = text.endswith("\n")

    def line(self, text: str, style: Style, language: str = "") -> None:
        """Whole lines; code and diffs are highlighted."""
        self._settle()
        if not self._at_line_start:
            self._console.print()
        self._at_line_start = True
        if language:
            syntax = Syntax(text, language, theme="ansi_dark", background_color="default", word_wrap=True)
            self._console.print(syntax)
        else:
            self._console.print(Text(text, STYLES[style]))

    def waiting(self, what: str) -> None:
        """A spinner with the words until the next text."""
        self._settle()
        if self._at_line_start and self._console.is_terminal:
            self._status = self._console.status(Text(what, "dim"), spinner="dots")
            self._status.start()

    def close(self) -> None:
        """Remove the spinner and end the last line."""
        self._settle()
        if not self._at_line_start:
            self._console.print()
            self._at_line_start = True

    def _settle(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
