"""What models paste beside code: numbers before its lines, and what a terminal showed."""

import re
from collections.abc import Sequence

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.outline import CODE

_NUMBERED = re.compile(r"^[ ]*(?P<number>\d+)(?:[ ]*[|│:][ ]?|\t)(?P<text>.*)$", re.DOTALL)
_MARKED_UP = frozenset(("html", "css", "scss", "less", "xml", "svg"))
_SHOWN = re.compile(r"^(?:>>> |\$ \w|Traceback \(most recent call last\)|In \[\d+\]: )")


def without_numbers(lines: Sequence[str], language: str) -> tuple[str, ...]:
    """The lines of code without the numbers that stand before each; as they are where that is not certain."""
    bare = unnumbered(lines) if language in CODE or language in _MARKED_UP else None
    if bare is None or len(bare) < 2:
        return tuple(lines)
    if language == "python" and (parses("\n".join(lines)) or not parses("\n".join(bare))):
        return tuple(lines)
    return bare


def unnumbered(lines: Sequence[str]) -> tuple[str, ...] | None:
    """The lines without their numbers, where each has one and they count up; else None."""
    found = [_NUMBERED.match(line) for line in lines]
    numbers = [int(each["number"]) for each in found if each is not None]
    if not lines or len(numbers) < len(lines) or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return tuple(each["text"] for each in found if each is not None)


def is_shown_by_terminal(lines: Sequence[str], language: str) -> bool:
    """Whether a block for a file of code is what a terminal or interpreter showed: no such file begins so."""
    first = next((line for line in lines if line.strip()), "")
    return language in CODE and language != "shell" and _SHOWN.match(first) is not None
