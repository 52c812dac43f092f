"""A path that is written otherwise than the file's own, where the file that is meant is certain."""

import re
import unicodedata
from dataclasses import replace

from super_agent.core.replies.definitions import definitions
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.paths import with_slashes
from super_agent.core.replies.types import FileBlock, Surroundings

_MOVES = re.compile(r"\b(?:mov|renam|cop[iy]|split|extract|extra[ií]|separ|divid|renome)\w*", re.IGNORECASE)


def with_known_path(block: FileBlock, around: Surroundings) -> FileBlock:
    """The block with the path of the one file that exists and is meant; as it is where that is not certain.

    A path that differs in the case of its letters, or in how accents are composed, is that file's. One with folders
    too few or too many is, where the block is an edit; or where it defines what the file does, the task names that one,
    and neither the other folders nor a move.
    """
    path = with_slashes(block.path).removeprefix("./")
    words = re.findall(r"[^\s`'\"(),;:]+", around.task)
    if path not in around.files and path not in words:
        same = [known for known in around.files if _folded(known) == _folded(path)]
        path = same[0] if len(same) == 1 else _with_other_folders(path, block, around, words)
    return block if path == block.path else replace(block, path=path)


def _with_other_folders(path: str, block: FileBlock, around: Surroundings, words: list[str]) -> str:
    found = [known for known in around.files if known.endswith(f"/{path}") or path.endswith(f"/{known}")]
    if len(found) != 1:
        return path
    if block.is_edit:
        return found[0]
    mine = definitions(language_for(path), block.content)
    more = path.removesuffix(found[0]).strip("/").split("/")
    named = any(folder and re.search(rf"\b{re.escape(folder)}\b", around.task) for folder in more)
    in_task = found[0] in [word.rstrip(".").removeprefix("./") for word in words]
    certain = in_task and (len(path) < len(found[0]) or not named) and not _MOVES.search(around.task)
    return found[0] if certain and mine & around.files[found[0]] else path


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
