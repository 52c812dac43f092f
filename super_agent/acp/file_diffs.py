"""A file's unified diff as the texts before and after that editors compare."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from acp.schema import FileEditToolCallContent

from super_agent.core.events import FileWritten

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """`line` is where it stands in the new file, from 1; `old` and `new` are its lines before and after."""

    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def hunks(diff: str) -> Iterator[DiffHunk]:
    """Of a unified diff with its two head lines; what says that more was left out belongs to none."""
    line, old, new = 0, [], []  # type: int, list[str], list[str]
    for text in diff.split("\n")[2:]:
        if found := _HUNK.match(text):
            if line:
                yield DiffHunk(line, tuple(old), tuple(new))
            line, old, new = max(1, int(found[1])), [], []
        elif text[:1] == "-":
            old.append(text[1:])
        elif text[:1] == "+":
            new.append(text[1:])
        elif text[:1] == " ":
            old.append(text[1:])
            new.append(text[1:])
    if line:
        yield DiffHunk(line, tuple(old), tuple(new))


def as_content(event: FileWritten, path: str, parts: list[DiffHunk]) -> list[FileEditToolCallContent]:
    """One for each hunk; a new file has no text before."""
    created = event.kind == "created"
    return [
        FileEditToolCallContent(
            type="diff", path=path, old_text=None if created else _text(part.old), new_text=_text(part.new)
        )
        for part in parts
    ] or [FileEditToolCallContent(type="diff", path=path, old_text=None if created else "", new_text="")]


def _text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)
