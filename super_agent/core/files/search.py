"""A text looked for in the files of a workspace: as it stands, then in any case, then as a simple pattern.

Bounded in time, files and answers, as the coder asks and the run waits; binary files are left out, and so are the files
that `ignored` leaves out unless one of them is named.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from super_agent.core.errors import PathRefused
from super_agent.core.files.ignored import glob_pattern, visible_files
from super_agent.core.files.workspace import Workspace
from super_agent.core.sanitize import sanitize
from super_agent.core.time_budget import TimeBudget

MAX_PROCESSOR_S = 2.0
"""A whole search; 2,000 files of 3 KB take 0.2 s."""
MAX_CLOCK_S = 20.0
"""The same where the disk is slow."""
MAX_FILES = 20_000
MAX_FILE_BYTES = 1024 * 1024
"""Above this a file is data; of a larger one the beginning is searched."""
MAX_KEPT = 400
"""Matching lines that are kept; those beyond are counted."""
MAX_LINE_CHARS = 200
"""Of a line in an answer; of a longer one the part around the match."""
MAX_PATTERN_CHARS = 200
"""Of a line that a pattern is tried on; 0.7 s was the longest that one took with what `simple_pattern` allows."""
MAX_TEXT_CHARS = 100_000
"""Of a line that a text is looked for in; longer ones are made by programs."""
MAX_REPEATS = 3
"""Stars and pluses of a pattern, as the time for a line grows with this power of its length."""
_BINARY_WITHIN = 8192
"""Bytes in which a zero tells a binary file, as Git and ripgrep have it."""
_PART = re.compile(r"\\.|\[\^?\]?[^\]]*\]|.", re.DOTALL)

How = Literal["text", "any case", "pattern"]


@dataclass(frozen=True, slots=True)
class Match:
    """A line, counted from 1, that holds what was looked for; `text` without blanks around it, cut and sanitized."""

    path: str
    line: int
    text: str


@dataclass(slots=True)
class Found:
    """What came of a search. `files` were looked into; `total` counts the matches that are not kept too.

    `named` are paths whose last part holds the text. `unfinished`: a bound ended it before all files were seen.
    """

    matches: list[Match] = field(default_factory=list)
    total: int = 0
    files: int = 0
    named: list[str] = field(default_factory=list)
    how: How = "text"
    unfinished: bool = False


def search(workspace: Workspace, text: str, under: str = "", glob: str = "", budget: TimeBudget | None = None) -> Found:
    """Lines that hold `text`, in the files under a folder (or in one file) whose names match a glob.

    A folder that holds nothing is taken for the whole workspace. Several searches can share a budget.
    """
    budget = budget or time_budget()
    if budget.is_over():
        return Found(unfinished=True)
    paths = chosen(workspace, under, glob)
    found = Found()
    for how, pattern in _readings(text):
        needle = text.encode("utf-8", "replace") if how == "text" else b""
        limit = MAX_PATTERN_CHARS if how == "pattern" else MAX_TEXT_CHARS
        found = search_for(workspace, pattern, paths, budget, needle=needle, line_chars=limit)
        found.how = how
        if found.matches or found.unfinished:
            break
    found.named = [path for path in paths if text in path.rsplit("/", 1)[-1]] if text else []
    return found


def time_budget() -> TimeBudget:
    """Of one search, from now on."""
    return TimeBudget(MAX_PROCESSOR_S, MAX_CLOCK_S)


def chosen(workspace: Workspace, under: str = "", glob: str = "") -> list[str]:
    """The files that a search looks into; one that is named itself is never left out."""
    under = under.removeprefix("./").rstrip("/")
    paths = visible_files(workspace)
    if under not in ("", "."):
        paths = [path for path in paths if path.startswith(f"{under}/")] or (
            [under] if under in set(workspace.files()) else paths
        )
    pattern = glob_pattern(glob) if glob else None
    return paths if pattern is None else [path for path in paths if pattern.fullmatch(path.rsplit("/", 1)[-1])]


def search_for(
    workspace: Workspace,
    pattern: re.Pattern[str],
    paths: Sequence[str],
    budget: TimeBudget,
    *,
    needle: bytes = b"",
    line_chars: int = MAX_PATTERN_CHARS,
) -> Found:
    """Lines that match within their first `line_chars`, in the files' order, as far as `budget` goes.

    A file without `needle` is not looked into closely.
    """
    found = Found(unfinished=len(paths) > MAX_FILES)
    for path in paths[:MAX_FILES]:
        if budget.is_over():
            break
        found.files += 1
        for number, line in enumerate(_text_of(workspace, path, needle).splitlines(), 1):
            hit = pattern.search(line, 0, line_chars)
            if hit is not None:
                found.total += 1
                if len(found.matches) < MAX_KEPT:
                    found.matches.append(Match(path, number, _cut(line, hit.start())))
            if line_chars <= MAX_PATTERN_CHARS and budget.is_over():
                break
    found.unfinished |= budget.is_over()
    return found


def _text_of(workspace: Workspace, path: str, needle: bytes) -> str:
    try:
        data = workspace.read_start(path, MAX_FILE_BYTES)
    except (OSError, PathRefused):
        return ""  # gone meanwhile, or not for us to read
    return "" if b"\0" in data[:_BINARY_WITHIN] or needle not in data else data.decode("utf-8", "replace")


def _cut(line: str, at: int) -> str:
    if len(line) > MAX_LINE_CHARS:
        first = max(0, at - MAX_LINE_CHARS // 4)
        line = ("…" if first else "") + line[first : first + MAX_LINE_CHARS] + "…"
    return sanitize(line).strip().replace("\n", " ")


def _readings(text: str) -> list[tuple[How, re.Pattern[str]]]:
    found: list[tuple[How, re.Pattern[str]]] = [
        ("text", re.compile(re.escape(text))),
        ("any case", re.compile(re.escape(text), re.IGNORECASE)),
    ]
    pattern = simple_pattern(text)
    return [*found, ("pattern", pattern)] if pattern is not None else found


def simple_pattern(text: str) -> re.Pattern[str] | None:
    r"""The regular expression that a text is, in grep's basic form too (`a\|b`); None where it is none.

    None also where it could take long: a group is only taken in one that repeats nothing, and few parts may repeat.
    """
    parts = _PART.findall(text.replace(r"\|", "|"))
    repeats = sum(part in ("*", "+", "?") for part in parts)
    special = repeats or any(part in (".", "^", "$", "|") or len(part) > 1 for part in parts)
    if not special or repeats > MAX_REPEATS or parts.count("|") > MAX_REPEATS * 2:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile("".join(_part(part, groups=not repeats) for part in parts))
    except (re.error, FutureWarning, OverflowError, RecursionError):
        return None


def _part(part: str, *, groups: bool) -> str:
    if part in tuple("(){}"):
        return part if groups and part in "()" else re.escape(part)
    if part in ("\\<", "\\>"):
        return r"\b"
    if part.startswith("\\") and len(part) == 2 and part[1].isalnum() and part[1] not in "wWdDsSbB":
        return re.escape(part[1])
    return part
