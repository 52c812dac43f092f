"""A path that is written otherwise than the file's own, where the file that is meant is certain."""

import re
import unicodedata
from dataclasses import replace

from super_agent.core.replies.definitions import definitions
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.paths import with_slashes
from super_agent.core.replies.types import FileBlock, Surroundings


def with_known_path(block: FileBlock, around: Surroundings) -> FileBlock:
    """The block with the path of the one file that exists and is meant; as it is where that is not certain.

    A path that differs in the case of its letters, or in how accents are composed, is that file's. One with folders
    too few or too many is, where the block is an edit, or defines what only that file defines.
    """
    path = with_slashes(block.path).removeprefix("./")
    if path not in around.files and path not in re.findall(r"[^\s`'\"(),;:]+", around.task):
        same = [known for known in around.files if _folded(known) == _folded(path)]
        path = same[0] if len(same) == 1 else _with_other_folders(path, block, around)
    return block if path == block.path else replace(block, path=path)


def _with_other_folders(path: str, block: FileBlock, around: Surroundings) -> str:
    found = [known for known in around.files if known.endswith(f"/{path}") or path.endswith(f"/{known}")]
    if len(found) != 1:
        return path
    mine = definitions(language_for(path), block.content)
    return found[0] if block.is_edit or mine & around.files[found[0]] else path


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
