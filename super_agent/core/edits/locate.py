"""Where in a file the lines of an edit stand, and the edit mended where what is meant is certain."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from super_agent.core.errors import PathRefused
from super_agent.core.replies.types import Hunk, LineRange, Section
from super_agent.core.text import indent_of, lines_of

MAX_SHOWN_LINES = 12
MAX_FUZZ = 2
"""Lines of context at each end of a hunk that may differ, as `patch` allows by default."""
Mend = Callable[[list[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Location:
    """Lines `first` up to `end` (counted from 0), and how new lines are to be mended to fit there."""

    first: int
    end: int
    mend: Mend = list


def with_sections(lines: list[str], sections: tuple[Section, ...]) -> list[str]:
    """Apply search/replace sections in order; raises `PathRefused` with the nearest lines where one does not fit."""
    for section in sections:
        search, replace = _reading_that_fits(lines, section)
        if not "".join(search).strip():
            if not "".join(lines).strip():
                lines = replace
                continue
            raise PathRefused("a SEARCH part is empty; give the lines that are to be replaced")
        place = locate(lines, search, "SEARCH text")
        lines = [*lines[: place.first], *place.mend(replace), *lines[place.end :]]
    return lines


def _reading_that_fits(lines: list[str], section: Section) -> tuple[list[str], list[str]]:
    """Where a line of equals signs may be text or divider: the longest search text that is in the file."""
    readings = [(section.search, section.replace), *section.others]
    if len(readings) > 1:
        for search, replace in readings:
            if search.strip() and _exact(lines, lines_of(search)):
                return lines_of(search), lines_of(replace)
        search, replace = readings[-1]
        return lines_of(search), lines_of(replace)
    return lines_of(section.search), lines_of(section.replace)


def with_hunks(lines: list[str], hunks: tuple[Hunk, ...]) -> list[str]:
    """Apply the hunks of a patch by their context; raises `PathRefused` where one does not fit."""
    shift = 0
    for hunk in hunks:
        hunk = _with_whole_context(lines, hunk)
        old = [text for sign, text in hunk.lines if sign != "+"]
        new = [text for sign, text in hunk.lines if sign != "-"]
        if not "".join(old).strip():
            raise PathRefused(
                "a part of the patch has no line of context, so its place is unknown; add lines around it"
            )
        near = None if hunk.start is None else hunk.start - 1 + shift
        after = _anchored(lines, hunk.anchor)
        place, lead, tail = _fuzzy(lines, hunk, old, near, after)
        added = place.mend(new[lead : len(new) - tail])
        lines = [*lines[: place.first], *added, *lines[place.end :]]
        shift += len(new) - len(old)
    return lines


def _with_whole_context(lines: list[str], hunk: Hunk) -> Hunk:
    """Where the model gave its context no sign, the first blank of a line is the line's own."""
    if not any(sign == "" and text for sign, text in hunk.lines):
        return hunk
    whole = tuple((sign, " " + text if sign == " " and text.strip() else text) for sign, text in hunk.lines)
    return Hunk(whole, hunk.start, hunk.anchor) if _loose(lines, [t for s, t in whole if s != "+"]) else hunk


def _anchored(lines: list[str], anchor: str) -> int | None:
    found = [i for i, line in enumerate(lines) if anchor and line.strip() == anchor.strip()]
    return found[0] if len(found) == 1 else None


def _fuzzy(
    lines: list[str], hunk: Hunk, old: list[str], near: int | None, after: int | None
) -> tuple[Location, int, int]:
    """The place of a hunk, and how many lines of its context were left out at its head and tail."""
    signs = [sign for sign, _ in hunk.lines]
    head = next((i for i, s in enumerate(signs) if s in ("+", "-")), 0)
    tail = next((i for i, s in enumerate(reversed(signs)) if s in ("+", "-")), 0)
    refusal: PathRefused | None = None
    for fuzz in range(MAX_FUZZ + 1):
        lead, trail = min(fuzz, head), min(fuzz, tail)
        wanted = old[lead : len(old) - trail]
        if not "".join(wanted).strip() or (fuzz and not any(line.strip() for line in wanted)):
            break
        try:
            return locate(lines, wanted, "patch's old text", near, after), lead, trail
        except PathRefused as error:
            refusal = refusal or error
            if fuzz >= max(head, tail):
                break
    raise refusal or PathRefused("the patch does not fit the file; write SEARCH/REPLACE sections")


def with_lines(lines: list[str], wanted: LineRange, content: list[str]) -> list[str]:
    """Put other lines in the place of a range; raises `PathRefused` where the file has no such lines."""
    if not 1 <= wanted.first <= wanted.last <= len(lines):
        raise PathRefused(f"the file has {len(lines)} lines, so there are no lines {wanted.first} to {wanted.last}")
    return [*lines[: wanted.first - 1], *content, *lines[wanted.last :]]


def with_replaced_part(lines: list[str], part: list[str], content: list[str]) -> list[str] | None:
    """The file with `content` in the place of a part of it; None where it is not certain that this is meant.

    It is where the part stands in the file once, and the content has nothing of the lines around it.
    """
    places = _exact(lines, part) if any(line.strip() for line in part) else []
    if len(places) != 1:
        return None
    place = places[0]
    around = {t for line in (*lines[: place.first], *lines[place.end :]) if re.search(r"\w{3}", t := line.strip())}
    around -= {line.strip() for line in part}
    if not around or around & {line.strip() for line in content}:
        return None
    return [*lines[: place.first], *content, *lines[place.end :]]


def locate(
    lines: list[str], wanted: list[str], what: str, near: int | None = None, after: int | None = None
) -> Location:
    """The one place where the lines stand: exactly, or but for blanks at line ends, tabs or a constant indentation."""
    for find in (_exact, _loose, _without_margins, _with_tabs, _shifted):
        places = find(lines, wanted)
        if len(places) > 1 and after is not None:
            places = [p for p in places if p.first >= after][:1] or places
        if len(places) > 1 and near is not None:
            best = sorted(places, key=lambda p: abs(p.first - near))
            if abs(best[0].first - near) < abs(best[1].first - near):
                places = best[:1]
        if len(places) == 1:
            return places[0]
        if places:
            where = ", ".join(str(p.first + 1) for p in places[:8])
            raise PathRefused(
                f"the {what} occurs {len(places)} times (at lines {where}); add lines around it until it occurs once"
            )
    raise PathRefused(f"the {what} is not in the file; the nearest lines are:\n{nearest(lines, wanted)}")


def _windows(lines: list[str], size: int) -> range:
    return range(len(lines) - size + 1) if size else range(0)


def _exact(lines: list[str], wanted: list[str]) -> list[Location]:
    size = len(wanted)
    return [
        Location(i, i + size) for i in _windows(lines, size) if lines[i] == wanted[0] and lines[i : i + size] == wanted
    ]


def _loose(lines: list[str], wanted: list[str]) -> list[Location]:
    """But for blanks at the ends of lines."""
    return [
        Location(p.first, p.end) for p in _exact([line.rstrip() for line in lines], [line.rstrip() for line in wanted])
    ]


def _without_margins(lines: list[str], wanted: list[str]) -> list[Location]:
    """But for empty lines at its head and tail, which go from the new lines too."""
    head = next((i for i, line in enumerate(wanted) if line.strip()), len(wanted))
    tail = next((i for i, line in enumerate(reversed(wanted)) if line.strip()), 0)
    if not (head or tail) or head == len(wanted):
        return []

    def mend(new: list[str]) -> list[str]:
        cut, end = 0, len(new)
        while cut < head and cut < end and not new[cut].strip():
            cut += 1
        while len(new) - end < tail and end > cut and not new[end - 1].strip():
            end -= 1
        return new[cut:end]

    return [Location(p.first, p.end, mend) for p in _loose(lines, wanted[head : len(wanted) - tail])]


def _with_tabs(lines: list[str], wanted: list[str]) -> list[Location]:
    """But for tabs and blanks in indentation: the new lines take the file's."""
    for width in (4, 8, 2):
        flat = [_flat(line, width) for line in lines]
        places = _exact(flat, [_flat(line, width) for line in wanted])
        if places:
            first = places[0]
            tabs = any(indent_of(line).startswith("\t") for line in lines[first.first : first.end])

            def mend(new: list[str], width: int = width, tabs: bool = tabs) -> list[str]:
                return [_indented(line, width, tabs=tabs) for line in new]

            return [Location(p.first, p.end, mend) for p in places]
    return []


def _flat(line: str, width: int) -> str:
    return (indent_of(line).expandtabs(width) + line.lstrip(" \t")).rstrip()


def _indented(line: str, width: int, *, tabs: bool) -> str:
    columns = len(indent_of(line).expandtabs(width))
    lead = "\t" * (columns // width) + " " * (columns % width) if tabs else " " * columns
    return lead + line.lstrip(" \t")


def _shifted(lines: list[str], wanted: list[str]) -> list[Location]:
    """But for an indentation that is off by the same everywhere: the new lines are shifted as far."""
    full = [line for line in wanted if line.strip()]
    if not full:
        return []
    found = []
    for i in _windows(lines, len(wanted)):
        window = lines[i : i + len(wanted)]
        if [line.strip() for line in window] != [line.strip() for line in wanted]:
            continue
        pairs = [(indent_of(a), indent_of(b)) for a, b in zip(window, wanted, strict=True) if a.strip()]
        mend = _shift(pairs)
        if mend is not None:
            found.append(Location(i, i + len(wanted), mend))
    return found


def _shift(pairs: list[tuple[str, str]]) -> Mend | None:
    """How to get from the second indentation of each pair to the first, where that is the same for all."""
    here, there = pairs[0]
    if here.endswith(there):
        more = here[: len(here) - len(there)]
        if all(a == more + b for a, b in pairs):
            return lambda new: [more + line if line.strip() else line for line in new]
    if there.endswith(here):
        less = there[: len(there) - len(here)]
        if all(less + a == b for a, b in pairs):
            return lambda new: [line.removeprefix(less) if line.strip() else line for line in new]
    return None


def nearest(lines: list[str], wanted: list[str]) -> str:
    """The window of the file most like the wanted lines, as long as they are, at most 12 lines."""
    size = min(len(wanted), MAX_SHOWN_LINES)
    target = "\n".join(wanted[:size])
    windows = ["\n".join(lines[i : i + size]) for i in range(max(1, len(lines) - size + 1))][:2000]
    matcher = difflib.SequenceMatcher(b=target, autojunk=False)

    def likeness(window: str) -> float:
        matcher.set_seq1(window)
        return matcher.quick_ratio()

    return max(windows, key=likeness, default="").rstrip("\n")
