"""Edits that stand in a reply without a fence around them: search/replace sections below a path, and unified diffs."""

import re
from bisect import bisect
from collections.abc import Collection, Iterable

from super_agent.core.replies.edit_markers import NEW, OLD
from super_agent.core.replies.fences import Fence, heading_above
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.paths import path_above

_START = re.compile(rf"^(?:<{{5,9}}|-{{5,9}}) ?(?:{OLD})\b(?P<rest>.*)$")
_END = re.compile(rf"^(?:>{{5,9}}|\+{{5,9}}|<{{5,9}}) ?(?:{NEW}|END)\b.*$|^>{{5,9}}(?: [\w./-]+)?$")
_DIVIDER = re.compile(rf"^={{5,9}}(?: ?(?:{NEW}))?$")
_FENCE = re.compile(r"^(?:```|~~~)")
_OLD_HEADER, _NEW_HEADER = re.compile(r"^--- \S"), re.compile(r"^\+\+\+ \S")


def unfenced_edits(text: str, known: Collection[str], blocks: Iterable[Fence] = ()) -> tuple[list[Fence], str]:
    """The edits outside of the `blocks`, each as a block with its path in the heading; and the text without them.

    Sections that no path stands above, or in, stay. Those whose parts are fenced each are taken.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    inside = {i for block in blocks for i in block.span}
    dividers = [i for i, line in enumerate(lines) if _DIVIDER.match(line)]
    ends = [i for i, line in enumerate(lines) if _END.match(line)]
    found: list[Fence] = []
    path, position = "", 0
    while position < len(lines):
        starts = position not in inside and _START.match(lines[position]) is not None
        end = _end_of_section(position, dividers, ends) if starts else None
        if end is not None and end not in inside:
            path = _path_of(lines, position, known) or path
            if path:
                heading = f"{language_for(path) or 'text'} {path}"
                found.append(Fence(heading, tuple(_unfenced(lines[position : end + 1])), position + 1))
                lines[position : end + 1] = [""] * (end + 1 - position)
            position = end
        elif position not in inside and (over := _end_of_diff(lines, position)) > position:
            found.append(Fence("diff", tuple(lines[position:over]), position + 1, heading_above(lines, position)))
            lines[position:over] = [""] * (over - position)
            position = over - 1
        position += 1
    return found, "\n".join(lines)


def _end_of_section(start: int, dividers: list[int], ends: list[int]) -> int | None:
    """The next marker that ends one, where a divider stands before it."""
    divider, end = bisect(dividers, start), bisect(ends, start)
    return ends[end] if end < len(ends) and divider < len(dividers) and dividers[divider] < ends[end] else None


def _path_of(lines: list[str], start: int, known: Collection[str]) -> str:
    """In the marker itself, or on the line above it."""
    named = (_START.match(lines[start]) or {"rest": ""})["rest"].strip().strip("`")
    if named in known:
        return named
    return path_above(heading_above(lines, start), "", known)


def _unfenced(lines: list[str]) -> list[str]:
    """Without the fences around the parts, where each part has its own."""
    kept = [
        line
        for i, line in enumerate(lines)
        if not (_FENCE.match(line) and (_is_marker(lines[i - 1]) or _is_marker(lines[i + 1])))
    ]
    return kept if len(lines) - len(kept) in (2, 4) else lines


def _is_marker(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_START, _DIVIDER, _END))


def _end_of_diff(lines: list[str], start: int) -> int:
    """The line after a unified diff that begins here: at the first empty line that no line of a patch follows."""
    header = "".join(lines[start : start + 3][2:])
    if not (_OLD_HEADER.match(lines[start]) and _NEW_HEADER.match("".join(lines[start + 1 : start + 2]))):
        return start
    if not header.startswith("@@"):
        return start
    end = start + 2
    for i in range(start + 2, len(lines)):
        if lines[i][:1] in ("+", "-", " ", "@", "\\") or lines[i].startswith(("diff --git ", "index ")):
            end = i + 1
        elif lines[i].strip() or _is_over(lines, i):
            break
    return end


def _is_over(lines: list[str], empty: int) -> bool:
    following = "".join(lines[empty + 1 : empty + 2])
    return not following.startswith(("+", "-", " ", "@"))
