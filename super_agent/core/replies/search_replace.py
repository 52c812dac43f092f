"""Search/replace sections, in the markers that models really write."""

import re

from super_agent.core.replies.edit_markers import DIVIDER, END, START, has_markers, with_usual_markers
from super_agent.core.replies.pasted_artifacts import unnumbered
from super_agent.core.replies.types import Section
from super_agent.core.text import joined, lines_of

FORM = "<<<<<<< SEARCH, =======, >>>>>>> REPLACE, each on its own line"


_PLACE = re.compile(r"^:(?:start|end)_line:\s*\d+\s*$")


def open_section_at(lines: list[str]) -> bool:
    """Whether a text ends inside a section that has its divider, or that has not come so far."""
    is_open = False
    for line in lines:
        if not is_open and START.match(line):
            is_open = True
        elif is_open and END.match(line):
            is_open = False
    return is_open


def read_sections(lines: tuple[str, ...], *, labels: bool = False) -> tuple[tuple[Section, ...], str]:
    """The sections of a block, or what is wrong with them; neither where the block has no markers at all.

    With `labels` the bare words are markers too, as they are in no program.
    """
    lines = with_usual_markers(lines, labels=labels)
    if not has_markers(lines):
        return (), ""
    sections: list[Section] = []
    inside: list[str] | None = None
    for line in lines:
        if inside is None:
            if START.match(line):
                inside = []
            elif line.strip():
                return (), "there is text outside the SEARCH/REPLACE sections; write sections only, or the whole file"
        elif END.match(line) and any(DIVIDER.match(kept) for kept in inside):
            section = _section(inside)
            sections.append(section)
            inside = None
        elif START.match(line) and not DIVIDER.match(line):
            return (), f"a SEARCH/REPLACE section is not complete before the next one begins: {FORM}"
        else:
            inside.append(line)
    if inside is not None or not sections:
        return (), f"a SEARCH/REPLACE section is not complete: {FORM}"
    return tuple(sections), ""


def _section(lines: list[str]) -> Section:
    """Read the lines between the markers; several lines of equals signs give several readings, longest search first."""
    places = [i for i, line in enumerate(lines) if DIVIDER.match(line)]
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
