"""Unified diffs and `*** Begin Patch` texts, read as edits of files."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.types import BadBlock, FileBlock, Hunk

_HUNK = re.compile(r"^@@(?:\s*-(?P<start>\d+)(?:,\d+)?\s+\+\d+(?:,\d+)?\s*@@)?\s*(?P<anchor>.*?)\s*(?:@@)?\s*$")
_BEGIN = re.compile(r"^\*\*\* (?:Begin Patch|(?:Update|Add|Create|New|Delete) File:)")
_FILE = re.compile(r"^\*\*\* (?P<what>Update|Add|Create|New|Delete) File:\s*(?P<path>.+?)\s*$")
_REMARK = re.compile(
    r"\t.*$|(?<!\s)\s+\d{4}-\d\d-\d\d[ T].*$|(?<!\s)\s+\((?:original|modified|old|new|updated|before|after)\)$",
    re.IGNORECASE,
)
"""What stands behind a path in a header: a time, or which of both it is."""
_NOISE = re.compile(
    r"^(?:diff --git |index [0-9a-f]+|(?:new|deleted|old) (?:file )?mode|similarity index|"
    r"\\ No newline|\*\*\* End of File)"
)


MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep", ".keep", ".nojekyll", "conftest.py")
"""Names of files that are often empty."""
_PROSE = frozenset(
    ("markdown", "md", "mdx", "rst", "text", "txt", "plaintext", "yaml", "yml", "csv", "tsv", "log", "diff")
)
_RENAMES = "a patch does not rename files here; a ```run block can ask for it"
_DELETES = "a patch does not delete files here; a ```run block can ask for it"


@dataclass(slots=True)
class _Growing:
    path: str
    is_new: bool = False
    new_lines: list[str] = field(default_factory=list)
    problem: str = ""
    hunks: list[Hunk] = field(default_factory=list)


def _new_file(path: str, lines: list[str]) -> FileBlock | BadBlock:
    """Each line begins with a plus, or none does; an empty one may lack it."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    full = [line for line in lines if line.strip()]
    signed = sum(line.startswith("+") for line in full)
    if 0 < signed < len(full):
        return BadBlock(
            path, "not every line of the new file begins with +, so what it holds is unknown; write it whole"
        )
    if not full and path.rsplit("/", 1)[-1] not in MAY_BE_EMPTY:
        return BadBlock(path, "the patch adds no line; write the file whole")
    return FileBlock(path, "".join(f"{line[1:] if signed else line}\n" for line in lines), is_new=True)


def _is_signed_code(lines: tuple[str, ...], language: str) -> bool:
    """Whether code has lines that are taken out and put in at its left margin, as no program has."""
    if language in _PROSE or not language or (language == "python" and parses("\n".join(lines))):
        return False
    pairs = any(re.match(r"-(?!-)", a) and re.match(r"\+(?!\+)", b) for a, b in pairwise(lines))
    full = [line for line in lines if line.strip()]
    signs = {line[0] for line in full}
    if language == "python":
        return pairs or ("+" in signs and signs <= {"+", "-", " "})
    return pairs and signs <= {"+", "-", " "}


def is_patch(lines: tuple[str, ...], language: str = "") -> bool:
    """Whether a block's text is a patch, whatever its language says."""
    if any(_BEGIN.match(line) for line in lines):
        return True
    hunks = [i for i, line in enumerate(lines) if re.match(r"^@@.*", line) and (_HUNK.match(line) is not None)]
    headers = any(a.startswith("--- ") and b.startswith("+++ ") for a, b in pairwise(lines)) or any(
        line.startswith("diff --git ") for line in lines
    )
    signs = sum(line[:1] in ("+", "-") for line in lines)
    if language in ("diff", "patch", "udiff"):
        return bool(hunks) or headers or signs > 0
    numbered = any(re.match(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", line) for line in lines)
    if numbered or (headers and signs > 2) or (bool(hunks) and lines[0].startswith("@@") and signs > 0):
        return True
    return _is_signed_code(lines, language)


def read_patch(lines: tuple[str, ...], path: str) -> list[FileBlock | BadBlock]:
    """The edits of a patch; `path` is the one that the block is headed by, or empty."""
    reader = _Reader(path)
    skip = False
    for line, following in zip(lines, (*lines[1:], ""), strict=True):
        if skip:
            skip = False
        elif line.startswith("--- ") and following.startswith("+++ "):
            reader.begin(_headed(line[4:], following[4:], path))
            skip = True
        else:
            reader.take(line)
    reader.end_hunk()
    if not reader.files:
        return [BadBlock(path or "a patch", "the patch changes no line")]
    return [_finished(one) for one in reader.files]


@dataclass(slots=True)
class _Reader:
    """The patch as far as it was read."""

    path: str
    files: list[_Growing] = field(default_factory=list)
    body: list[tuple[str, str]] = field(default_factory=list)
    start: int | None = None
    anchor: str = ""
    over: bool = False

    def begin(self, file: _Growing) -> None:
        """The hunks from here on are of this file."""
        self.end_hunk()
        self.files.append(file)
        self.over = False

    def take(self, line: str) -> None:
        """One line that is no pair of headers."""
        if found := _FILE.match(line):
            self.begin(_Growing(found["path"].removeprefix("./"), found["what"] in ("Add", "Create", "New")))
            if found["what"] == "Delete":
                self.files[-1].problem = _DELETES
        elif line.startswith(("*** Move to:", "rename ")):
            if self.files:
                self.files[-1].problem = _RENAMES
            else:
                self.files.append(_Growing(_name(line.rpartition(" ")[2]), problem=_RENAMES))
        elif line.startswith("*** "):
            self.end_hunk()
            self.over = line.startswith("*** End Patch")
        elif self.over:
            return  # what is said after it
        elif line.startswith("@@") and (hunk := _HUNK.match(line)):
            self.end_hunk()
            self.start, self.anchor = int(hunk["start"]) if hunk["start"] else None, hunk["anchor"] or ""
        elif not _NOISE.match(line):
            if self.files and self.files[-1].is_new:
                self.files[-1].new_lines.append(line)
            # Models drop the blank that begins a line of context.
            self.body.append((line[0], line[1:]) if line[:1] in ("+", "-", " ") else ("", line))

    def end_hunk(self) -> None:
        """What was collected is one hunk, unless it changes nothing."""
        while self.body and self.body[-1] in ((" ", ""), ("", "")):
            self.body.pop()
        if any(sign in ("+", "-") for sign, _ in self.body):
            if not self.files:
                self.files.append(_Growing(self.path))
            self.files[-1].hunks.append(Hunk(tuple(self.body), self.start, self.anchor))
        self.body, self.start, self.anchor = [], None, ""


def _headed(old: str, new: str, path: str) -> _Growing:
    old, new = (_REMARK.sub("", name).strip() for name in (old, new))
    if new == "/dev/null":
        return _Growing(_name(old), problem=_DELETES)
    named = _name(new)
    if path and named != path and not path.endswith("/" + named) and not named.endswith("/" + path):
        return _Growing(path, problem=f"the patch is headed by {path} and names {named}; name one file")
    return _Growing(path or named, is_new=old == "/dev/null")


def _name(text: str) -> str:
    text = text.strip("\"'`").removeprefix("./")
    return text[2:] if text[:2] in ("a/", "b/") else text


def _finished(one: _Growing) -> FileBlock | BadBlock:
    if one.problem or not one.path:
        return BadBlock(
            one.path or "a patch", one.problem or "the patch does not name its file; write --- and +++ lines"
        )
    added = "".join(f"{line}\n" for hunk in one.hunks for sign, line in hunk.lines if sign == "+")
    if one.is_new:
        return _new_file(one.path, one.new_lines)
    if not one.hunks:
        return BadBlock(one.path, "the patch changes no line")
    return FileBlock(one.path, added, hunks=tuple(one.hunks))
