"""Text as lines, text cut to a size, saying so, what a program said last, and text in a fence."""

import re
from collections.abc import Sequence


def lines_of(text: str) -> list[str]:
    """The lines without their ends; a last line that lacks its newline counts, an empty one does not.

    They end at a newline only: form feeds, lone carriage returns and U+2028 are part of a line.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def joined(lines: Sequence[str]) -> str:
    """Each line with a newline after it."""
    return "".join(f"{line}\n" for line in lines)


def indent_of(line: str) -> str:
    """The blanks and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def clipped(text: str, limit_chars: int, hint: str = "") -> str:
    """At most about `limit_chars` characters: head and tail, with how much was left out between them.

    `hint` says how to see the rest, where there is a way.
    """
    if len(text) <= limit_chars:
        return text
    head = limit_chars // 2
    tail = limit_chars - head
    how = f" ({hint})" if hint else ""
    return f"{text[:head]}\n… {len(text) - head - tail} characters left out{how} …\n{text[len(text) - tail :]}"


def cut(line: str, chars: int) -> str:
    """At most so many characters of a line, the last of them "…" where there are more."""
    return line if len(line) <= chars else f"{line[: chars - 1]}…"


def last_line(said: bytes, otherwise: str = "no reason given") -> str:
    """The last line that a program wrote, `otherwise` where it wrote none."""
    return (said.decode("utf-8", "replace").strip().splitlines() or [otherwise])[-1]


def fenced(text: str, language: str = "", *, least: int = 4) -> str:
    """A Markdown block, of at least so many backticks, that nothing in the text can end."""
    fence = "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
