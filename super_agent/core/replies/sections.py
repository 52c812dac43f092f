"""Search/replace sections, in the markers that models really write."""

import re

from super_agent.core.replies.lines import joined
from super_agent.core.replies.types import Section

_OLD = r"SEARCH|ORIGINAL|OLD|BEFORE|FIND|HEAD|CURRENT"
_NEW = r"REPLACE|REPLACEMENT|UPDATED?|NEW|AFTER|MODIFIED|CHANGED"
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


def read_sections(lines: tuple[str, ...]) -> tuple[tuple[Section, ...], str]:
    """The sections of a block, or what is wrong with them; neither where the block has no markers at all."""
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


def _section(lines: list[str]) -> Section:
    """Read the lines between the markers; several lines of equals signs give several readings, longest search first."""
    places = [i for i, line in enumerate(lines) if _DIVIDER.match(line)]
    usual = [i for i in places if len(lines[i].strip()) == 7 or lines[i].strip().strip("=") != ""]
    readings = [(joined(lines[:i]), joined(lines[i + 1 :])) for i in (usual or places)]
    readings.reverse()
    search, replace = readings[0]
    return Section(search, replace, tuple(readings[1:]))
