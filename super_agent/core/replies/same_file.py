"""Several blocks of one reply for one file: given again, in parts, or with an example of its use."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from super_agent.core.replies.definitions import definitions, names_in, only_defines, tree_of
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.types import BadBlock, FileBlock, UnusedBlock

_AGAIN = "a later block gives the file whole"
_EXAMPLE = "an earlier block gives the file, and this one has nothing of what it defines"
Meant = Literal["again", "beside", "part", "example"]


def one_for_each_file(
    blocks: Sequence[FileBlock | BadBlock], files: Mapping[str, frozenset[str]]
) -> tuple[tuple[FileBlock | BadBlock, ...], list[UnusedBlock]]:
    """The blocks that count, and those that do not; `files` maps each path that exists to what it defines.

    A file that is given whole twice is meant as it was given last. Two blocks of Python that define different things
    are both part of the file.
    """
    kept: list[FileBlock | BadBlock] = []
    unused: list[UnusedBlock] = []
    for block in blocks:
        if isinstance(block, BadBlock) or block.is_edit:
            kept.append(block)
            continue
        counts: FileBlock | None = block
        for earlier in [b for b in kept if isinstance(b, FileBlock) and b.path == block.path]:
            what = _meant(earlier, block, files.get(block.path, frozenset()))
            if what == "again":
                kept.remove(earlier)
                unused.append(UnusedBlock(f"the first block of {block.path}", _AGAIN))
                shown = "" if earlier.is_edit else earlier.content
                counts = replace(block, earlier=shown)
            elif what == "example":
                unused.append(UnusedBlock(f"the last block of {block.path}", _EXAMPLE))
                counts = None
                break
            elif what == "part" and block.path in files:
                kept[kept.index(earlier)] = replace(earlier, is_part=True)
                counts = replace(block, is_part=True)
            elif what == "part" and definitions("python", earlier.content) & definitions("python", block.content):
                counts = replace(block, is_part=True)
            elif what == "part":
                kept.remove(earlier)
                counts = replace(earlier, content=f"{earlier.content.rstrip()}\n\n\n{block.content}")
        kept += [counts] if counts is not None else []
    was = "it is headed as the file was before; write the file as it shall be, or SEARCH/REPLACE sections"
    return tuple(BadBlock(b.path, was) if isinstance(b, FileBlock) and b.is_old else b for b in kept), unused


def is_use_of(defined: frozenset[str], code: str) -> bool:
    """Whether Python code does something when it runs and has nothing of what a file defines, as an example has."""
    tree = tree_of(code)
    if tree is None or not defined or defined & names_in(tree.body):
        return False
    return any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in tree.body)


def _meant(earlier: FileBlock, later: FileBlock, there: frozenset[str]) -> Meant:
    """What a whole block is to one that stands before it in the reply, of the same path."""
    if language_for(later.path) != "python":
        return "again"
    before, after = definitions("python", earlier.content) or there, definitions("python", later.content)
    if before <= after:
        return "again"
    if not before & after and not only_defines(later.content):
        return "example"
    if earlier.is_edit and not earlier.is_part:
        return "again"
    return "part" if only_defines(earlier.content) and only_defines(later.content) else "beside"
