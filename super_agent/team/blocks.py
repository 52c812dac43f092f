"""What a coder's reply asks for: files to write, edits, files to see, one thing to run.

A fenced block's info string says what it is: a language and then a path is a file (```` ```python src/app.py ````),
`show` lists paths with optional line ranges, `run` is an instruction in plain words. All other fences are prose.
"""

import re
from dataclasses import dataclass

_OPENING = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]*)$")
_SEARCH = re.compile(r"^<{5,9} ?SEARCH\s*$")
_DIVIDER = re.compile(r"^={5,9}\s*$")
_REPLACE = re.compile(r"^>{5,9} ?REPLACE\s*$")
_RANGE = re.compile(r"^(?P<path>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$")
_MARKDOWN = (".md", ".markdown", ".mdx", ".rst")


@dataclass(frozen=True, slots=True)
class Section:
    """One search/replace section; both texts end with a newline unless empty."""

    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class FileBlock:
    """The whole new content of a file, or sections that edit it where `sections` is not empty."""

    path: str
    content: str
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """Lines `first` to `last` of a file, counted from 1; None is from the start, or to the end."""

    path: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that was meant as a file and cannot be used, with the reason for the coder."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CoderReply:
    """Everything a reply asks for, in its order."""

    files: tuple[FileBlock | BadBlock, ...] = ()
    shows: tuple[ShowRequest, ...] = ()
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class _Fence:
    info: str
    lines: tuple[str, ...]
    closed: bool
    nested: bool
    """A line inside looks like the opening of another block of the same fence: where this one ends is a guess."""
    followed_by_bare: bool
    """The next fence has no info string, as the rest of a block that was closed too early would."""


def parse_coder_reply(text: str) -> CoderReply:
    """Read a whole reply; anything that is not one of our blocks is left alone."""
    files: list[FileBlock | BadBlock] = []
    shows: list[ShowRequest] = []
    instructions: list[str] = []
    for fence in _fences(text):
        word, _, rest = fence.info.partition(" ")
        if word.lower() == "show":
            shows += [_show_request(line) for line in fence.lines if line.strip()]
        elif word.lower() == "run" and not rest.strip():
            instructions.append("\n".join(fence.lines).strip())
        elif path := _path_of(fence.info):
            files.append(_file_block(path, fence))
    return CoderReply(tuple(files), tuple(shows), "\n".join(i for i in instructions if i))


def ends_inside_block(text: str) -> bool:
    """Whether a text ends before a block that it opened is closed."""
    fences = _fences(text)
    return bool(fences) and not fences[-1].closed


def _fences(text: str) -> list[_Fence]:
    found: list[_Fence] = []
    lines = text.splitlines()
    position = 0
    while position < len(lines):
        opening = _OPENING.match(lines[position])
        if opening is None:
            position += 1
            continue
        end = _closing_line(lines, position + 1, opening["fence"])
        body = tuple(lines[position + 1 : end])
        following = next((m["info"] for line in lines[end + 1 :] if (m := _OPENING.match(line))), "-")
        found.append(
            _Fence(
                info=opening["info"].strip(),
                lines=body,
                closed=end < len(lines),
                nested=any(_same_fence(line, opening["fence"]) for line in body),
                followed_by_bare=not following.strip(),
            )
        )
        position = end + 1
    return found


def _closing_line(lines: list[str], start: int, fence: str) -> int:
    closing = re.compile(rf"^ {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((i for i in range(start, len(lines)) if closing.match(lines[i])), len(lines))


def _same_fence(line: str, fence: str) -> bool:
    inner = _OPENING.match(line)
    return inner is not None and inner["fence"].startswith(fence)


def _path_of(info: str) -> str:
    """The path in an info string, or empty; `python a.py`, `python:a.py`, `python file=a.py` and `a.py` name one."""
    word, _, rest = info.partition(" ")
    candidate = rest.strip()
    if not candidate:
        language, colon, after = word.partition(":")
        candidate = after if colon and language else word
        if "." not in candidate and "/" not in candidate and not (colon and after):
            return ""
    for prefix in ("file=", "filename=", "path=", "title="):
        candidate = candidate.removeprefix(prefix)
    candidate = candidate.strip("\"'`")
    # "python: example" and "text output of the program" are prose, not paths.
    return "" if " " in candidate and "." not in candidate.rsplit(" ", 1)[-1] else candidate.removeprefix("./")


def _file_block(path: str, fence: _Fence) -> FileBlock | BadBlock:
    if not fence.closed:
        return BadBlock(path, "the block has no closing fence, so its end is unknown; write it again, closed")
    if fence.nested or (path.lower().endswith(_MARKDOWN) and fence.followed_by_bare):
        return BadBlock(
            path,
            "the file holds fences itself, so where the block ends is a guess; use a longer fence (````) around it",
        )
    sections, problem = _sections(fence.lines)
    if problem:
        return BadBlock(path, problem)
    return FileBlock(path, "".join(f"{line}\n" for line in fence.lines), sections)


def _sections(lines: tuple[str, ...]) -> tuple[tuple[Section, ...], str]:
    """The search/replace sections of a block, or what is wrong with them; none at all is a whole file."""
    if not any(_SEARCH.match(line) for line in lines):
        return (), ""
    sections: list[Section] = []
    search: list[str] = []
    replace: list[str] = []
    where = "outside"
    for line in lines:
        if where == "outside" and _SEARCH.match(line):
            where, search, replace = "search", [], []
        elif where == "search" and _DIVIDER.match(line):
            where = "replace"
        elif where == "replace" and _REPLACE.match(line):
            sections.append(Section("".join(f"{s}\n" for s in search), "".join(f"{r}\n" for r in replace)))
            where = "outside"
        elif where == "search":
            search.append(line)
        elif where == "replace":
            replace.append(line)
        elif line.strip():
            return (), "there is text outside the SEARCH/REPLACE sections; write sections only, or the whole file"
    if where != "outside":
        return (
            (),
            "a SEARCH/REPLACE section is not complete: <<<<<<< SEARCH, =======, >>>>>>> REPLACE, each on its line",
        )
    return tuple(sections), ""


def _show_request(line: str) -> ShowRequest:
    match = _RANGE.match(line.strip().lstrip("-* ").strip("`"))
    if match is None:
        return ShowRequest(line.strip())
    first, last = match["first"], match["last"]
    return ShowRequest(match["path"].removeprefix("./"), int(first) if first else None, int(last) if last else None)
