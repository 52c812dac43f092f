"""What models paste beside code: numbers before its lines, and what a terminal showed."""

import html
import re
from collections.abc import Sequence

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.languages import CODE_LANGUAGES

_NUMBERED = re.compile(r"^[ ]*(?P<number>\d+)(?:[ ]*[|│:][ ]?|\t)(?P<text>.*)$", re.DOTALL)
_MARKED_UP = frozenset(("html", "css", "scss", "less", "xml", "svg"))
ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#39|#x27|apos);")
"""A mark as HTML and XML escape it."""
_DELETED = re.compile(
    r"^\W*(?:(?:this |the )?(?:file|module)\b.{0,30})?\b(?:is |was |has been |to be )?"
    r"(?:deleted|removed|apagad[oa]|removid[oa])\W*$",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"^(?:>>> |\$ \w|Traceback \(most recent call last\)|In \[\d+\]: )")


def without_numbers(lines: Sequence[str], language: str) -> tuple[str, ...]:
    """The lines of code without the numbers that stand before each; as they are where that is not certain."""
    bare = unnumbered(lines) if language in CODE_LANGUAGES or language in _MARKED_UP else None
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


def without_entities(lines: Sequence[str]) -> tuple[str, ...]:
    """Python in which `<` and `&` were written as in HTML, as it was meant; as it is where that is not certain."""
    text = "\n".join(lines)
    plain = html.unescape(text) if ENTITY.search(text) and not parses(text) else text
    return tuple(plain.split("\n")) if plain != text and parses(plain) else tuple(lines)


def without_double_escapes(text: str, language: str) -> str:
    """A file's content from a call in which each new line was escaped twice; as it is where that is not certain."""
    if "\n" in text.rstrip("\n") or "\\n" not in text:
        return text
    plain = re.sub(r"\\([nt\"'\\])", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text.rstrip("\n"))
    if language == "python":
        return plain if parses(plain) and not parses(text) else text
    return plain if text.rstrip("\n").endswith("\\n") else text


def says_it_is_deleted(lines: Sequence[str]) -> bool:
    """Whether a remark that the file is gone is all that a block holds."""
    full = [line for line in lines if line.strip()]
    return len(full) == 1 and _DELETED.match(full[0]) is not None


def is_shown_by_terminal(lines: Sequence[str], language: str) -> bool:
    """Whether a block for a file of code is what a terminal or interpreter showed: no such file begins so."""
    first = next((line for line in lines if line.strip()), "")
    return language in CODE_LANGUAGES and language != "shell" and _SHOWN.match(first) is not None
