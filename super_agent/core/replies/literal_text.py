"""Which lines of code are text that the code holds: heredocs of a shell, triple-quoted strings of Python.

Code that writes a Markdown file holds fences, and such a fence does not end the block around it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

_HEREDOC = re.compile(r"(?<!<)<<(?P<tabs>-?)[ \t]*(?:'(?P<a>[^'\n]+)'|\"(?P<b>[^\"\n]+)\"|\\?(?P<c>[A-Za-z_][\w.-]*))")
_RUBY = re.compile(r"(?<![<\w])<<[~-]?(?:'(?P<a>\w+)'|\"(?P<b>\w+)\"|(?P<c>[A-Z_]\w*))")
_PHP = re.compile(r"<<<[ \t]*(?:'(?P<a>\w+)'|\"(?P<b>\w+)\"|(?P<c>\w+))[ \t]*$")
_OF_OTHERS = {"ruby": _RUBY, "rb": _RUBY, "perl": _RUBY, "php": _PHP, "dockerfile": _HEREDOC, "docker": _HEREDOC}
_TRIPLE = (
    "toml", "kotlin", "kt", "swift", "scala", "groovy", "java", "csharp", "cs", "dart", "elixir", "julia", "graphql"
)  # fmt: skip
"""Languages with texts in three quotes, beside Python."""
# A comment, a triple quote that opens, or a short string with its end (or up to the end of a line that lacks it).
_PYTHON = re.compile(r"#[^\n]*|\"\"\"|'''|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?", re.DOTALL)
_END_OF_TEXT = {quote: re.compile(rf"(?:\\.|(?!{quote})[^\\])*{quote}", re.DOTALL) for quote in ('"""', "'''")}


@dataclass(frozen=True, slots=True)
class LiteralText:
    """Lines are counted from 0. `spans` are first and last line of texts that end, in order and apart.

    `open_from` is the line after which a text begins that never ends; None where there is none.
    """

    spans: tuple[tuple[int, int], ...] = ()
    open_from: int | None = None
    _starts: tuple[int, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", tuple(first for first, _ in self.spans))

    def holds(self, line: int) -> bool:
        """Whether the line begins inside a text that ends on it or later."""
        index = bisect_right(self._starts, line - 1) - 1
        return index >= 0 and line <= self.spans[index][1]


def literal_text(language: Literal["python", "shell"], lines: Sequence[str]) -> LiteralText:
    """Find them in one pass; what stands after the code's end is prose and may be misread, but only ends spans."""
    return _in_python(lines) if language == "python" else _in_shell(lines)


def ends_inside_text(language: str, lines: Sequence[str]) -> bool:
    """Whether code of another language ends inside of a heredoc, or of a text of several lines."""
    if language in _TRIPLE:
        return literal_text("python", lines).open_from is not None
    if language == "lua":
        return "\n".join(lines).count("[[") > "\n".join(lines).count("]]")
    pattern = _OF_OTHERS.get(language)
    if pattern is None:
        return False
    word = ""
    for line in lines:
        if not word:
            found = pattern.search(line)
            word = (found["a"] or found["b"] or found["c"]) if found else ""
        elif re.match(rf"{re.escape(word)}(?!\w)", line.strip()):
            word = ""
    return bool(word)


def _in_python(lines: Sequence[str]) -> LiteralText:
    text = "\n".join(lines)
    ends = [i for i, c in enumerate(text) if c == "\n"]
    spans: list[tuple[int, int]] = []
    position = 0
    while (token := _PYTHON.search(text, position)) is not None:
        position = token.end()
        if token[0] in _END_OF_TEXT:
            first = bisect_right(ends, token.start())
            end = _END_OF_TEXT[token[0]].match(text, position)
            if end is None:
                return LiteralText(tuple(spans), first)
            position = end.end()
            last = bisect_right(ends, position - 1)
            if last > first:
                spans.append((first, last))
    return LiteralText(tuple(spans))


def _in_shell(lines: Sequence[str]) -> LiteralText:
    spans: list[tuple[int, int]] = []
    number = 0
    while number < len(lines):
        first = number
        for tabs, word in _heredocs(lines[first]):
            end = next(
                (i for i in range(number + 1, len(lines)) if (lines[i].lstrip("\t") if tabs else lines[i]) == word),
                None,
            )
            if end is None:
                return LiteralText(tuple(spans), first)
            number = end
        if number > first:
            spans.append((first, number))
        number += 1
    return LiteralText(tuple(spans))


def _heredocs(line: str) -> Iterator[tuple[bool, str]]:
    if line.lstrip().startswith("#"):
        return
    for found in _HEREDOC.finditer(line):
        if "((" in line[: found.start()]:
            continue  # a shift of numbers
        yield bool(found["tabs"]), found["a"] or found["b"] or found["c"]
