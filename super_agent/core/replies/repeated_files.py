"""Several blocks of one reply for one file: given again, in parts, or with an example of its use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from super_agent.core.replies.definitions import (
    begins_file,
    definitions,
    functions_and_types,
    only_defines,
)
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.types import BadBlock, FileBlock, UnusedBlock

_AGAIN = "a later block gives the file whole"
_EXAMPLE = "an earlier block gives the file, and this one has nothing of what it defines"
MAX_COMPARED = 8
"""Blocks of a path with which the next one is compared."""
MAX_JOINED_CHARS = 2_000
"""Of the parts of a new file in one piece; each more is read again with all of them."""
_PARTS = (
    "two blocks give parts of it, and what stands around them is unknown; write it whole, or SEARCH/REPLACE sections"
)
Meant = Literal["again", "beside", "beginning", "part", "example"]


def one_for_each_file(
    blocks: Sequence[FileBlock | BadBlock], files: Mapping[str, frozenset[str]]
) -> tuple[tuple[FileBlock | BadBlock, ...], list[UnusedBlock]]:
    """The blocks that count, and those that do not; `files` maps each path that exists to what it defines.

    A file that is given whole twice is meant as it was given last. Two blocks of Python that define different things
    are both part of the file.
    """
    kept: list[FileBlock | BadBlock | None] = []
    unused: list[UnusedBlock] = []
    places: dict[str, list[int]] = {}
    for block in blocks:
        counts: FileBlock | BadBlock | None = block
        if isinstance(block, FileBlock) and not block.is_edit:
            for place in places.get(block.path, [])[-MAX_COMPARED:]:
                if isinstance(earlier := kept[place], FileBlock) and isinstance(counts, FileBlock):
                    kept[place], counts, note = _settled(earlier, counts, files)
                    unused += [note] if note is not None else []
        if counts is not None:
            places.setdefault(counts.path, []).append(len(kept))
        kept.append(counts)
    return tuple(_as_it_shall_be(block) for block in kept if block is not None), unused


def _settled(
    earlier: FileBlock, later: FileBlock, files: Mapping[str, frozenset[str]]
) -> tuple[FileBlock | None, FileBlock | BadBlock | None, UnusedBlock | None]:
    """What becomes of both, and the note on the one that does not count."""
    what = _meant(earlier, later, files.get(later.path, frozenset()))
    if what == "again":
        shown = "" if earlier.is_edit else earlier.content
        note = UnusedBlock(f"the first block of {later.path}", _AGAIN)
        return None, replace(later, earlier=shown), note
    if what == "example":
        return earlier, None, UnusedBlock(f"the last block of {later.path}", _EXAMPLE)
    if what == "beside":
        return earlier, later, None
    if what == "beginning":
        return None, replace(later, content=f"{earlier.content.rstrip()}\n\n\n{later.content}", heading=""), None
    if later.path in files and language_for(later.path) != "python":
        return None, BadBlock(later.path, _PARTS), None
    if later.path in files:
        return replace(earlier, is_part=True), replace(later, is_part=True), None
    is_python = language_for(later.path) == "python"
    if is_python and (_read(earlier.content)[0] & _read(later.content)[0] or len(earlier.content) > MAX_JOINED_CHARS):
        return earlier, replace(later, is_part=True), None
    return None, replace(earlier, content=f"{earlier.content.rstrip()}\n\n\n{later.content}"), None


def _as_it_shall_be(block: FileBlock | BadBlock) -> FileBlock | BadBlock:
    was = "it is headed as the file was before; write the file as it shall be, or SEARCH/REPLACE sections"
    return BadBlock(block.path, was) if isinstance(block, FileBlock) and block.is_old else block


def _meant(earlier: FileBlock, later: FileBlock, there: frozenset[str]) -> Meant:
    """What a whole block is to one that stands before it in the reply, of the same path."""
    if language_for(later.path) != "python":
        return _meant_by_names(earlier, later)
    (mine, quiet), (after, is_quiet) = _read(earlier.content), _read(later.content)
    before = mine or there
    if not quiet and not earlier.is_edit and begins_file(earlier.content, later.content):
        return "beginning"
    if before <= after:
        return "again"
    if not before & after and not is_quiet:
        return "example"
    if earlier.is_edit and not earlier.is_part:
        return "again"
    return "part" if quiet and is_quiet else "beside"


def _meant_by_names(earlier: FileBlock, later: FileBlock) -> Meant:
    """Of a language without a parser here: two that define different things, and nothing in common, are parts."""
    before, after = functions_and_types(earlier.content), functions_and_types(later.content)
    return "part" if before and after and not before & after and not earlier.is_edit else "again"


@lru_cache(maxsize=64)
def _read(code: str) -> tuple[frozenset[str], bool]:
    """What Python code defines, and whether it does nothing else."""
    return definitions("python", code), only_defines(code)
