"""From the coder's file blocks to the workspace: what is applied, what is refused and why.

Small models elide ("rest unchanged") and so destroy files; what looks like it is refused with the reason.
"""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from super_agent.core.errors import PathRefused
from super_agent.core.events import EditRefused, Emit, FileWritten
from super_agent.core.files.workspace import Workspace
from super_agent.team.blocks import BadBlock, FileBlock, Section

_COMMENT = r"(?:#|//|--|;|%|/\*|<!--|\*|\"\"\")"
_ELISION = re.compile(
    rf"^\s*(?:{_COMMENT}\s*)?(?:\(|\[|<)?\s*(?:\.{{3}}|…)?\s*"
    r"(?:the\s+)?(?:rest|remainder|remaining|existing|previous|other|same|unchanged)\b[^\n]{0,60}"
    r"\b(?:unchanged|same|here|above|before|code|file|functions?|methods?|content|as is|omitted|implementation)\b",
    re.IGNORECASE,
)
_DOTS = re.compile(r"\.{3}|…")
SHRINK_FROM_LINES = 30
"""Below this a whole-file reply is easily checked by eye; 30 lines are about one screen."""
SHRINK_TO_SHARE = 0.5
MAX_DIFF_LINES = 40


@dataclass(slots=True)
class Applied:
    """What came of one reply's blocks; `paths` in the order they were written."""

    paths: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)


class Editor:
    """Applies file blocks inside one workspace. `before_write(path, original)` is called before each write."""

    def __init__(self, workspace: Workspace, emit: Emit, before_write: Callable[[str, bytes | None], None]) -> None:
        self._workspace = workspace
        self._emit = emit
        self._before_write = before_write
        self._shrunk: dict[str, str] = {}

    def apply(self, blocks: tuple[FileBlock | BadBlock, ...]) -> Applied:
        """Apply each block in turn; a refused one does not stop the others."""
        applied = Applied()
        for block in blocks:
            try:
                if isinstance(block, BadBlock):
                    raise PathRefused(block.reason)
                if self._apply_one(block):
                    applied.paths.append(block.path)
            except PathRefused as refusal:
                applied.refusals.append((block.path, str(refusal)))
                self._emit(EditRefused(block.path, str(refusal)))
        return applied

    def _apply_one(self, block: FileBlock) -> bool:
        original = self._workspace.read_bytes(block.path)
        old = "" if original is None else _decoded(block.path, original)
        crlf = "\r\n" in old
        if block.sections:
            if original is None:
                raise PathRefused("the file does not exist, so there is nothing to search; write it whole")
            new = edited(old.replace("\r\n", "\n"), block.sections)
        else:
            new = block.content
            self._refuse_elision(block.path, old, new)
        if crlf:
            new = new.replace("\r\n", "\n").replace("\n", "\r\n")
        if original is not None and new == old:
            raise PathRefused("the file already has exactly this content")
        self._before_write(block.path, original)
        self._workspace.write_bytes(block.path, new.encode("utf-8"))
        self._emit(_written(block, original is None, old, new))
        return True

    def _refuse_elision(self, path: str, old: str, new: str) -> None:
        if marker := elision_in(new, old):
            raise PathRefused(
                f'the line "{marker.strip()}" stands for code that was left out; '
                "write the whole file, or SEARCH/REPLACE sections"
            )
        before, after = old.count("\n"), new.count("\n")
        if before >= SHRINK_FROM_LINES and after < before * SHRINK_TO_SHARE and self._shrunk.get(path) != new:
            self._shrunk[path] = new
            raise PathRefused(
                f"the file has {before} lines and would keep {after}; use SEARCH/REPLACE sections, "
                "or write the same block again if the loss is meant"
            )


def elision_in(new: str, old: str) -> str:
    """The first line of `new` that stands for code left out, or empty; a line that `old` had too is none."""
    known = set(old.splitlines())
    for line in new.splitlines():
        is_comment = re.match(rf"^\s*{_COMMENT}", line) is not None
        dotted = _DOTS.search(line) is not None
        if line in known or not (is_comment or dotted):
            continue
        stripped = _DOTS.sub("", line)
        if _ELISION.match(stripped) and (dotted or re.search(r"unchanged|same|omitted", line, re.IGNORECASE)):
            return line
    return ""


def edited(text: str, sections: tuple[Section, ...]) -> str:
    """Apply search/replace sections in order; raises `PathRefused` with the nearest lines where one does not fit."""
    for section in sections:
        if not section.search.strip():
            raise PathRefused("a SEARCH part is empty; give the lines that are to be replaced")
        # The last line of a file may lack its newline; a search text always has one.
        ends_bare = not text.endswith("\n")
        padded = text + "\n" if ends_bare else text
        start, end = _place_of(padded, section.search)
        padded = padded[:start] + section.replace + padded[end:]
        text = padded.removesuffix("\n") if ends_bare and end == len(padded) else padded
    return text


def _place_of(text: str, search: str) -> tuple[int, int]:
    starts = [m.start() for m in re.finditer(rf"(?m)^{re.escape(search)}", text)]
    if len(starts) == 1:
        return starts[0], starts[0] + len(search)
    if len(starts) > 1:
        raise PathRefused(f"the SEARCH text occurs {len(starts)} times; add lines around it until it occurs once")
    lines, wanted = text.splitlines(keepends=True), [line.rstrip() for line in search.splitlines()]
    loose = [
        i
        for i in range(len(lines) - len(wanted) + 1)
        if [line.rstrip() for line in lines[i : i + len(wanted)]] == wanted
    ]
    if len(loose) == 1:  # only blanks at line ends differ
        start = sum(map(len, lines[: loose[0]]))
        return start, start + sum(map(len, lines[loose[0] : loose[0] + len(wanted)]))
    raise PathRefused(f"the SEARCH text is not in the file; the nearest lines are:\n{_nearest(lines, wanted)}")


def _nearest(lines: list[str], wanted: list[str]) -> str:
    """The window of the file most like the wanted lines, as long as they are, at most 12 lines."""
    size = min(len(wanted), 12)
    target = "\n".join(wanted[:size])
    windows = ["".join(lines[i : i + size]) for i in range(max(1, len(lines) - size + 1))][:2000]
    matcher = difflib.SequenceMatcher(b=target, autojunk=False)

    def likeness(window: str) -> float:
        matcher.set_seq1(window)
        return matcher.quick_ratio()

    return max(windows, key=likeness, default="").rstrip("\n")


def _decoded(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PathRefused(f"{path} is not UTF-8 text and is not overwritten") from error


def _written(block: FileBlock, is_new: bool, old: str, new: str) -> FileWritten:
    diff = list(
        difflib.unified_diff(
            old.splitlines(),
            new.splitlines(),
            "/dev/null" if is_new else f"a/{block.path}",
            f"b/{block.path}",
            lineterm="",
        )
    )
    body = diff[2:]
    shown = diff[:MAX_DIFF_LINES] + (
        [f"… {len(diff) - MAX_DIFF_LINES} more lines"] if len(diff) > MAX_DIFF_LINES else []
    )
    return FileWritten(
        path=block.path,
        kind="created" if is_new else "edited" if block.sections else "replaced",
        diff="\n".join(shown),
        added_lines=sum(line.startswith("+") for line in body),
        removed_lines=sum(line.startswith("-") for line in body),
    )
