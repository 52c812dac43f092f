"""Streamed text as finished terminal rows: prose wrapped at words, code highlighted line by line, output in a gutter.

A row once finished never changes, so it can go into the scrollback; the row still growing is the live view's to show.
"""

import re
from collections.abc import Callable

from rich.cells import cell_len, chop_cells
from rich.syntax import ANSI_DARK, ANSISyntaxTheme, Syntax
from rich.text import Text

from super_agent.core.replies.fence_tracker import LINE, FenceTracker

# What the rows after the first stand below: the text behind a list's mark or one of our marks.
_HANGING = re.compile(r"^\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+|[✓✗⚠→›]\s)?")
_INLINE_CODE = re.compile(r"`[^`\s][^`]*`")
_GO_ON = (("Literal", "String"), ("Comment", "Multiline"))
"""Kinds of token, as the lexers name them, in which the end of a line is not the end."""
MAX_PROSE_COLUMNS = 100
"""Longer rows are hard to read; code, output and diffs are not wrapped by us at all."""
MAX_HIGHLIGHTED_CHARS = 20_000
"""Of code lexed again for one line (a docstring that does not end), and of one line."""

Width = Callable[[], int]


def wrapped(line: str, width: int, hang: int | None = None) -> list[str]:
    """One line as rows of at most `width` columns, broken at blanks where there are any; `hang` indents all but one."""
    if hang is None:
        found = _HANGING.match(line)
        hang = min(found.end() if found else 0, width // 2)
    rows: list[str] = []
    while cell_len(line) > width:
        row, rest = _first_row(line, width, hang if rows else 0)
        rows.append(row)
        line = " " * hang + rest
    return [*rows, line]


def _first_row(line: str, width: int, least: int) -> tuple[str, str]:
    """What fits, and the rest without the blanks between; breaks inside a word only where it fills the row alone."""
    fits = min(width, len(line))
    while cell_len(line[:fits]) > width:
        fits -= 1
    at = fits if line[fits : fits + 1] == " " else line.rfind(" ", 0, fits)
    if not line[:at].strip() or at <= least:
        at = max(fits, least + 1)
    return line[:at].rstrip(), line[at:].lstrip(" ")


def folded(line: str, width: int, prefix: str) -> list[Text]:
    """One line that no blank should break, filled row by row; each row begins with the (dim) prefix."""
    pieces = chop_cells(line, max(10, width - cell_len(prefix))) or [""]
    return [Text.assemble((prefix, "dim"), piece) for piece in pieces]


class Highlighter:
    """Colours code a line at a time with the state of the lines before, so that a docstring stays one."""

    def __init__(self, language: str) -> None:
        self._lexer = Syntax("", language).lexer if language else None
        self._theme = ANSISyntaxTheme(ANSI_DARK)
        self._open = ""

    def line(self, code: str) -> Text:
        """One line, without its end."""
        if self._lexer is None or len(code) + len(self._open) > MAX_HIGHLIGHTED_CHARS:
            self._open = ""
            return Text(code)
        lines, ended_in = [Text()], None
        for token, value in self._lexer.get_tokens(f"{self._open}{code}\n"):
            style = self._theme.get_style_for_token(token)
            for number, part in enumerate(value.split("\n")):
                if number:
                    lines.append(Text())
                    ended_in = token
                lines[-1].append(part, style)
        unfinished = ended_in is not None and tuple(ended_in)[:2] in _GO_ON
        self._open = f"{self._open}{code}\n" if unfinished else ""
        return lines[-2] if len(lines) > 1 else Text(code)


class ReplyRows:
    """A model's reply, as it comes in pieces."""

    def __init__(self, width: Width, indent: str, style: str = "") -> None:
        self._width = width
        self._indent = indent
        self._style = style
        self._line = ""
        self._hang: int | None = None
        self._fence = FenceTracker()
        self._code: Highlighter | None = None
        self._began = False
        self._blanks = 0

    def feed(self, text: str) -> list[Text]:
        """Take a piece; returns the rows it finished."""
        rows: list[Text] = []
        *ended, self._line = (self._line + text).split("\n")
        for line in ended:
            rows += self._finish(line)
        if self._code is None and not LINE.match(self._line):
            *whole, self._line = self._wrapped(self._line)
            if whole:
                rows += [row for part in whole for row in self._emit(self._prose(part))]
        return rows

    def growing(self) -> Text | None:
        """The row that is not finished, or None."""
        if not self._line.strip():
            return None
        return self._indented(Text(self._line) if self._code is not None else self._prose(self._line))

    def end(self) -> list[Text]:
        """Finish the last row."""
        return self._finish(self._line) if self._line.strip() else []

    def _finish(self, line: str) -> list[Text]:
        if self._hang is None and (does := self._fence.take(line)):
            self._code = Highlighter((self._fence.info.split() or [""])[0]) if does == "opens" else None
            return self._emit(Text(line, "dim"))
        if self._code is not None:
            return self._emit(self._code.line(line))
        rows = [row for part in self._wrapped(line) for row in self._emit(self._prose(part))]
        self._hang = None
        return rows

    def _wrapped(self, line: str) -> list[str]:
        width = max(10, min(self._width(), MAX_PROSE_COLUMNS) - len(self._indent))
        if cell_len(line) <= width:
            return [line]
        if self._hang is None:
            found = _HANGING.match(line)
            self._hang = min(found.end() if found else 0, width // 2)
        return wrapped(line, width, self._hang)

    def _prose(self, line: str) -> Text:
        text = Text(line, self._style)
        if not self._style:
            text.highlight_regex(_INLINE_CODE, "cyan")
        return text

    def _emit(self, row: Text) -> list[Text]:
        """Blank rows wait for what follows: none at the ends, in prose one at most."""
        if not row.plain.strip():
            self._blanks += self._began
            return []
        blanks = self._blanks if self._code is not None else min(self._blanks, 1)
        self._began, self._blanks = True, 0
        return [Text()] * blanks + [self._indented(row)]

    def _indented(self, row: Text) -> Text:
        return Text.assemble(self._indent, row)


class OutputRows:
    """What running code prints, as it comes in pieces."""

    def __init__(self, width: Width, gutter: str) -> None:
        self._width = width
        self._gutter = gutter
        self._line = ""

    def feed(self, text: str) -> list[Text]:
        """Take a piece; returns the rows it finished."""
        *ended, self._line = (self._line + text).split("\n")
        return [row for line in ended for row in self._rows(line)]

    def growing(self) -> Text | None:
        """The row that is not finished, or None."""
        return self._rows(self._line)[-1] if self._line else None

    def end(self) -> list[Text]:
        """Finish the last row."""
        return self._rows(self._line) if self._line else []

    def _rows(self, line: str) -> list[Text]:
        return folded(line.expandtabs(), self._width(), self._gutter)
