"""Search/replace sections, in the markers that models really write."""

import re

from super_agent.core.replies.pasted_artifacts import unnumbered
from super_agent.core.replies.types import Section
from super_agent.core.text import joined, lines_of

_OLD = r"SEARCH|ORIGINAL|OLD|BEFORE|FIND|HEAD|CURRENT|BUSCAR|PROCURAR|ANTIGO"
_NEW = r"REPLACE|REPLACEMENT|UPDATED?|NEW|AFTER|MODIFIED|CHANGED|SUBSTITUIR|NOVO"
_START = re.compile(
    rf"^\s*(?:[<>]{{3,10}}|-{{3,10}}|={{3,10}})\s*(?:{_OLD})\b.*$|^\s*<(?:{_OLD})>\s*$|^\s*\[(?:{_OLD})\]\s*$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    rf"^\s*={{4,10}}\s*$|^\s*={{3,10}}\s*(?:{_NEW})?\s*$|^\s*\[(?:{_NEW})\]\s*$|^\s*(?:</(?:{_OLD})>)?\s*<(?:{_NEW})>\s*$",
    re.IGNORECASE,
)
_END = re.compile(
    rf"^\s*(?:>{{3,10}}|\+{{3,10}}|<{{3,10}})\s*(?:(?:{_NEW}|END)\b.*|[\w./-]+)?$|^\s*</(?:{_NEW})>\s*$|^\s*\[/(?:{_NEW})\]\s*$",
    re.IGNORECASE,
)
_MARKER = re.compile(
    rf"^\s*(?:<{{5,9}}|>{{5,9}})(?:\s*\w.*|>*)$|^\s*(?:-{{5,9}}|\+{{5,9}})\s*(?:{_OLD}|{_NEW})\b", re.IGNORECASE
)
FORM = "<<<<<<< SEARCH, =======, >>>>>>> REPLACE, each on its own line"


_COMMENTED = re.compile(
    r"^\s*(?:#+|//+|--|;+|%|/\*|<!--)\s*"
    rf"(?P<mark>(?:<{{5,9}}\s*(?:{_OLD})\b|>{{5,9}}\s*(?:{_NEW})\b).*?|={{5,9}})\s*(?:\*/|-->)?$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"^:(?:start|end)_line:\s*\d+\s*$")
_LABEL = re.compile(r"^(?P<dress>\*\*|-{3,} ?|)(?P<word>SEARCH|REPLACE)(?: BLOCK)?:?(?: ?-{3,}|\*\*:?|)\s*$")
"""In capitals, dressed or not, as the only word of a line."""


def has_markers(lines: tuple[str, ...] | list[str]) -> bool:
    """Whether any line looks like a marker of a section or of a conflict."""
    return any(_START.match(line) or _MARKER.match(line) for line in lines)


def open_section_at(lines: list[str]) -> bool:
    """Whether a text ends inside a section that has its divider, or that has not come so far."""
    is_open = False
    for line in lines:
        if not is_open and _START.match(line):
            is_open = True
        elif is_open and _END.match(line):
            is_open = False
    return is_open


def read_sections(lines: tuple[str, ...], *, labels: bool = False) -> tuple[tuple[Section, ...], str]:
    """The sections of a block, or what is wrong with them; neither where the block has no markers at all.

    With `labels` the bare words are markers too, as they are in no program.
    """
    lines = _as_markers(lines, labels=labels)
    if not has_markers(lines):
        return (), ""
    sections: list[Section] = []
    inside: list[str] | None = None
    for line in lines:
        if inside is None:
            if _START.match(line):
                inside = []
            elif line.strip():
                return (), "there is text outside the SEARCH/REPLACE sections; write sections only, or the whole file"
        elif _END.match(line) and any(_DIVIDER.match(kept) for kept in inside):
            section = _section(inside)
            sections.append(section)
            inside = None
        elif _START.match(line) and not _DIVIDER.match(line):
            return (), f"a SEARCH/REPLACE section is not complete before the next one begins: {FORM}"
        else:
            inside.append(line)
    if inside is not None or not sections:
        return (), f"a SEARCH/REPLACE section is not complete: {FORM}"
    return tuple(sections), ""


def _as_markers(lines: tuple[str, ...], *, labels: bool) -> tuple[str, ...]:
    """Markers that stand in comments, and the bare words, as the usual markers."""
    if any((found := _COMMENTED.match(line)) and "<" in found["mark"] for line in lines):
        return tuple(found["mark"] if (found := _COMMENTED.match(line)) else line for line in lines)
    words = [found["word"] for line in lines if (found := _LABEL.match(line))]
    first = next((line for line in lines if line.strip()), "")
    if (
        not labels
        or has_markers(lines)
        or not _LABEL.match(first)
        or words != ["SEARCH", "REPLACE"] * (len(words) // 2)
    ):
        return lines
    return _from_labels(lines)


def _from_labels(lines: tuple[str, ...]) -> tuple[str, ...]:
    marked: list[str] = []
    for line in lines:
        word = found["word"] if (found := _LABEL.match(line)) else ""
        if word == "SEARCH":
            marked += [*([">>>>>>> REPLACE"] if marked else []), "<<<<<<< SEARCH"]
        elif word:
            marked.append("=======")
        elif marked:
            marked.append(line)
    return (*marked, ">>>>>>> REPLACE")


def _section(lines: list[str]) -> Section:
    """Read the lines between the markers; several lines of equals signs give several readings, longest search first."""
    places = [i for i, line in enumerate(lines) if _DIVIDER.match(line)]
    usual = [i for i in places if len(lines[i].strip()) == 7 or lines[i].strip().strip("=") != ""]
    readings = [(joined(_bare(lines[:i])), joined(lines[i + 1 :])) for i in (usual or places)]
    readings.reverse()
    readings += [plain for each in readings if (plain := _plain(*each)) is not None]
    search, replace = readings[0]
    return Section(search, replace, tuple(readings[1:]))


def _bare(search: list[str]) -> list[str]:
    """Without the line numbers of another tool's form, which say where the text was."""
    if not search or not _PLACE.match(search[0]):
        return search
    end = next(i for i in range(len(search) + 1) if i == len(search) or not _PLACE.match(search[i]))
    return search[end + 1 :] if end < len(search) and re.match(r"^-{5,}\s*$", search[end]) else search[end:]


def _plain(search: str, replace: str) -> tuple[str, str] | None:
    """Both parts without the line numbers that were copied with them."""
    old, new = unnumbered(lines_of(search)), unnumbered(lines_of(replace))
    return None if old is None or (new is None and replace.strip()) else (joined(old), joined(new or ()))
