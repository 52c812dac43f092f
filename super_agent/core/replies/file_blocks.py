"""A block with a path, as the content or the edit of that file, or why it certainly is neither."""

import json
import re
from dataclasses import replace

from super_agent.core.replies.definitions import only_defines
from super_agent.core.replies.edit_markers import has_markers
from super_agent.core.replies.fences import Fence
from super_agent.core.replies.inferred_paths import defines_task_file
from super_agent.core.replies.languages import CODE_LANGUAGES, language_for
from super_agent.core.replies.line_above import OLD, PART, adds
from super_agent.core.replies.pasted_artifacts import (
    is_shown_by_terminal,
    says_it_is_deleted,
    without_entities,
    without_numbers,
)
from super_agent.core.replies.patches import MAY_BE_EMPTY, is_patch, read_patch
from super_agent.core.replies.paths import Heading, bare_path, is_placeholder
from super_agent.core.replies.search_replace import read_sections
from super_agent.core.replies.types import BadBlock, FileBlock, Surroundings

_ECHOED = ("the whole content of the file", "lines as they are now", "lines as they shall be")
SOME = "it is headed as some of the file; write SEARCH/REPLACE sections, or the file whole"
UNCLOSED = "the block has no closing fence, so its end is unknown; write it again, closed"
LONGER_FENCE = "the file holds fences itself, so where the block ends is a guess; use a longer fence (````) around it"


def file_block(path: str, fence: Fence, comment: str, heading: Heading, around: Surroundings) -> FileBlock | BadBlock:
    """What a block is for the file of that path; `comment` is its first line, where that only named the path."""
    language = language_for(path)
    lines = without_numbers(fence.lines[1:] if comment else fence.lines, language)
    lines = without_entities(lines) if language == "python" else lines
    if language in CODE_LANGUAGES or has_markers(lines):
        lines = without_bare_path(lines, path)
    if problem := _no_content(path, fence, lines, around):
        return BadBlock(path, problem)
    sections, problem = read_sections(lines, labels=language in CODE_LANGUAGES)
    if problem:
        return BadBlock(path, problem)
    whole = whole_file(path, replace(fence, lines=lines), comment)
    if isinstance(whole, BadBlock):
        return whole
    is_part = heading.lines is None and (PART.search(fence.above) or PART.search(fence.info))
    if not sections and is_part and path in around.files:
        defines = language == "python" and only_defines(whole.content)
        return replace(whole, is_part=True) if defines else BadBlock(path, SOME)
    if OLD.search(fence.above) or OLD.search(fence.info):
        whole = replace(whole, is_old=True)
    if path in around.files and (adds(fence.above, path) or adds(fence.info, path)):
        whole = replace(whole, adds=True)
    return replace(whole, sections=sections) if sections else replace(whole, lines=heading.lines)


def _no_content(path: str, fence: Fence, lines: tuple[str, ...], around: Surroundings) -> str:
    """Why the lines are certainly not what a file of that path shall hold, or empty."""
    if is_placeholder(path, around.files, around.task):
        return f"{path} only stands for a path; write the real one after the language"
    if not fence.closed:
        return UNCLOSED
    if not fence.certain:
        return LONGER_FENCE
    if any(line.strip(" <>[](){}*#/.-") in _ECHOED for line in lines):
        return "the block repeats an explanation in place of the file's content"
    if path.endswith(".ipynb") and not _is_data(lines):
        return "a notebook is JSON; write all of it, or a file of code"
    if language_for(path) in CODE_LANGUAGES and says_it_is_deleted(lines):
        return "a block deletes no file; a ```run block can ask for it in plain words"
    if is_shown_by_terminal(lines, language_for(path)):
        return "the block is what a terminal showed, not the file's content; write the content"
    return ""


def without_bare_path(lines: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Without a first line that is the path and nothing else, as no line of code is."""
    return lines[1:] if len(lines) > 1 and lines[0].strip().strip("`*:").removeprefix("./") == path else lines


def _is_data(lines: tuple[str, ...]) -> bool:
    if has_markers(lines) or is_patch(lines):
        return True
    try:
        return isinstance(json.loads("\n".join(lines)), dict)
    except (ValueError, RecursionError):
        return False


def whole_file(path: str, fence: Fence, comment: str) -> FileBlock | BadBlock:
    """All that a block holds, as the content of a file."""
    if not fence.closed:
        return BadBlock(path, UNCLOSED)
    if not fence.text.strip() and path.rsplit("/", 1)[-1] not in MAY_BE_EMPTY:
        return BadBlock(path, "the block is empty; write the file's whole content, or SEARCH/REPLACE sections")
    return FileBlock(path, fence.text, heading=comment)


def of_call(block: FileBlock, around: Surroundings) -> FileBlock | BadBlock:
    """A file that a printed call gives, by the same rules as a block."""
    if is_placeholder(block.path, around.files, around.task):
        return BadBlock(block.path, f"{block.path} only stands for a path; write the real one")
    if not block.is_edit:
        fence = Fence("", tuple(block.content.rstrip("\n").split("\n")) if block.content else (), 1)
        return (
            file_block(block.path, fence, "", Heading(), around)
            if block.content.strip()
            else whole_file(block.path, replace(fence, lines=()), "")
        )
    return block


def unfenced_files(text: str, around: Surroundings) -> list[FileBlock | BadBlock]:
    """The files of a reply without a block: a patch, or Python and nothing else that certainly is a file."""
    if re.search(r"^\*\*\* (?:Begin Patch|(?:Update|Add) File:)", text, re.MULTILINE):
        return read_patch(tuple(text.strip().split("\n")), "")
    first, _, rest = text.strip().partition("\n")
    path = bare_path(first, around.files)
    code = rest.strip("\n") if path and language_for(path) == "python" else text.strip()
    if not only_defines(code):
        return []
    path = path if code != text.strip() else defines_task_file(code, around)
    fence = Fence("python", tuple(code.split("\n")), 1)
    return [file_block(path, fence, "", Heading(), around)] if path else []
