"""A coder's whole reply, read by the table of forms: what each block is, and what is to be done with it.

Only what is certainly the content of a file becomes a `FileBlock`; all else is a `BadBlock` or named as unused.
"""

import re
from dataclasses import dataclass, replace
from functools import partial

from super_agent.core.replies.bare_edits import bare_edits
from super_agent.core.replies.calls import (
    Meaning,
    calls_beside_prose,
    calls_in_json,
    looks_like_call,
    meanings_of,
    printed_calls,
)
from super_agent.core.replies.definitions import only_defines
from super_agent.core.replies.fences import Fence, fences
from super_agent.core.replies.inference import certain_path, defines_task_file, named_path, part_of
from super_agent.core.replies.known_paths import with_known_path
from super_agent.core.replies.languages import SHELLS, language_for
from super_agent.core.replies.markup_calls import MARK, Call, markup_calls
from super_agent.core.replies.pasted import is_shown_by_terminal, says_it_is_deleted, without_entities, without_numbers
from super_agent.core.replies.patches import MAY_BE_EMPTY, is_patch, read_patch
from super_agent.core.replies.paths import OLD, Heading, is_placeholder, path_above, path_in_comment, read_info
from super_agent.core.replies.same_file import one_for_each_file
from super_agent.core.replies.searches import only_searches, search_in
from super_agent.core.replies.sections import has_markers, read_sections
from super_agent.core.replies.several_files import each_file, with_first_line_as_path
from super_agent.core.replies.thoughts import split_thoughts
from super_agent.core.replies.types import (
    NOWHERE,
    BadBlock,
    CodeCall,
    CoderReply,
    FileBlock,
    SearchRequest,
    ShowRequest,
    Surroundings,
    UnusedBlock,
)  # fmt: skip

_RANGE = re.compile(r"^(?P<path>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$")
_ECHOED = ("the whole content of the file", "lines as they are now", "lines as they shall be")
_File = FileBlock | BadBlock
_NOT_RUN = "nothing in a reply is run by itself; a ```run block holds one instruction in plain words"
MAX_SEARCHES = 5
"""Lines of a block that is headed by `search` or `grep`; more are not what somebody looks for."""
UNCLOSED = "the block has no closing fence, so its end is unknown; write it again, closed"
LONGER_FENCE = "the file holds fences itself, so where the block ends is a guess; use a longer fence (````) around it"


@dataclass(slots=True)
class _Reading:
    around: Surroundings
    files: list[FileBlock | BadBlock]
    shows: list[ShowRequest | SearchRequest]
    instructions: list[str]
    unused: list[UnusedBlock]


def _language(known: frozenset[str], info: str, above: str) -> str:
    heading = read_info(info, known)
    if heading.path:
        return language_for(heading.path) or heading.language
    return heading.language or language_for(path_above(above, "", known))


def read_fences(text: str, around: Surroundings = NOWHERE) -> list[Fence]:
    """The blocks of a reply, found by the one scanner that all readers share."""
    known = frozenset(around.files)
    return [part for fence in fences(text, partial(_language, known)) for part in each_file(fence, known)]


def parse_coder_reply(text: str, around: Surroundings = NOWHERE) -> CoderReply:
    """Read a whole reply; any text can be read."""
    said, _ = split_thoughts(text)
    reading = _Reading(around, [], [], [], [])
    edits, said = bare_edits(said, around.files, read_fences(said, around))
    found = [with_first_line_as_path(fence, around.files.keys()) for fence in read_fences(said, around)]
    found = sorted([*edits, *found], key=lambda fence: fence.line)
    calls = _calls_of(said, found)
    taken = _take_calls(calls, reading)
    alone = sum(_is_code(fence) for fence in found) == 1
    for fence in found:
        if not taken or _is_beside(fence, calls):
            _take(fence, reading, alone=alone)
    if not found and not taken and re.search(r"^\*\*\* (?:Begin Patch|(?:Update|Add) File:)", said, re.M):
        reading.files += read_patch(tuple(said.strip().split("\n")), "")
    files = _last_of_each(reading)
    return CoderReply(
        files, tuple(reading.shows), "\n".join(i for i in reading.instructions if i), tuple(reading.unused)
    )


def _calls_of(said: str, found: list[Fence]) -> list[Call]:
    outside = _outside(said, found)
    if looks_like_call(outside) or (not found and said.lstrip()[:1] in ("{", "[")):
        return printed_calls(said)
    return calls_beside_prose(outside)


def _is_beside(fence: Fence, calls: list[Call]) -> bool:
    """Whether a block that is headed by its path is no part of a call, so that both are meant."""
    text = fence.text.strip()
    return bool(read_info(fence.info).path) and not any(text in str(v) for c in calls for v in c.arguments.values())


def split_files(text: str, around: Surroundings = NOWHERE) -> tuple[tuple[FileBlock | BadBlock, ...], str]:
    """The files of a reply whose other blocks are code to run, and the reply without them.

    A block without a path is a file only where running it would do nothing but define what the file certainly holds.
    """
    reading = _Reading(around, [], [], [], [])
    left: list[Fence] = []
    for fence in read_fences(text, around):
        count = len(reading.files)
        heading = read_info(fence.info, around.files)
        named = heading.path or path_above(fence.above, heading.language, around.files)
        named = named or (path_in_comment(fence.lines[0], heading.language, around.files) if fence.lines else "")
        if named or is_patch(fence.lines, heading.language):
            _take(fence, reading, alone=False)
        elif heading.language == "python" and only_defines(fence.text):
            if path := defines_task_file(fence.text, around):
                reading.files.append(_file_block(path, fence, "", heading, around))
            elif path := part_of(fence, "python", around, alone=False):
                reading.files.append(FileBlock(path, fence.text, is_part=True))
        if len(reading.files) > count:
            left.append(fence)
    asked = [meaning for call in (printed_calls(text) if not left else []) for meaning in meanings_of(call)]
    reading.files += [_checked(m, around) if isinstance(m, FileBlock) else m for m in asked if isinstance(m, _File)]
    return _last_of_each(reading), _outside(text, left) if left else text


def ends_inside_block(text: str) -> bool:
    """Whether a text ends before a block that it opened is closed."""
    found = read_fences(text)
    return bool(found) and not found[-1].closed


def form_for(path: str, language: str = "") -> str:
    """The exact form in which a file is taken, for a message to the model."""
    return (
        f"```{language or language_for(path) or 'text'} {path}"
        if path
        else "three backticks, the language and the file's path"
    )


def _outside(text: str, found: list[Fence]) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    for fence in found:
        for i in range(fence.line - 1, min(len(lines), fence.line + len(fence.lines) + 1)):
            lines[i] = ""
    return "\n".join(lines)


def _is_code(fence: Fence) -> bool:
    word = fence.info.split(" ")[0].lower()
    return word not in ("show", "run", "output", "text", "console", "bash", "sh", "shell") and bool(fence.text.strip())


def _take(fence: Fence, reading: _Reading, *, alone: bool) -> None:
    word, _, rest = fence.info.partition(" ")
    if _asks(word.lower(), rest, fence):
        lines = [*([rest] if rest.strip() else []), *fence.lines]
        say = "" if word.lower() == "show" else "search: "
        reading.shows += [_show_request(line, reading.around, say) for line in lines if line.strip()]
        return
    if word.lower() == "run" and not rest.strip():
        reading.instructions.append("\n".join(fence.lines).strip())
        return
    known = reading.around.files
    heading = read_info(fence.info, known)
    if not heading.path.endswith((".json", ".jsonl", ".ipynb")) and _take_calls(_calls_in(fence), reading):
        return
    path, comment = heading.path, ""
    if not path:
        path = path_above(fence.above, heading.language, known)
    if not path and fence.lines:
        path = path_in_comment(fence.lines[0], heading.language, known)
        comment = fence.lines[0] if path else ""
    if not path and heading.language in ("diff", "patch", "udiff"):
        path = path_above(fence.above, "", known)
    language = heading.language or language_for(path)
    if _is_patch_file(path):
        reading.files.append(_whole(path, fence, comment))
    elif is_patch(fence.lines, language):
        reading.files += _unless_unclosed(fence, read_patch(fence.lines, path), path)
    elif path:
        reading.files.append(_file_block(path, fence, comment, heading, reading.around))
    else:
        _take_without_path(fence, heading, reading, alone=alone)


def _calls_in(fence: Fence) -> list[Call]:
    """Of a block that is nothing but calls, as data or as tags."""
    text = fence.text.lstrip()
    if text[:1] in ("{", "["):
        return calls_in_json(text)
    return markup_calls(text) if text[:1] == "<" and MARK.match(text) and not read_info(fence.info).path else []


def _asks(word: str, rest: str, fence: Fence) -> bool:
    """Whether a block lists what is to be shown; one of searches says nothing else, or it is an edit or a file."""
    if word == "show":
        return True
    return word in ("search", "grep") and len(fence.lines) <= MAX_SEARCHES and not (rest and fence.lines)


def _is_patch_file(path: str) -> bool:
    return path.endswith((".patch", ".diff"))


def _unless_unclosed(fence: Fence, blocks: list[FileBlock | BadBlock], path: str) -> list[FileBlock | BadBlock]:
    if fence.closed:
        return blocks
    return [BadBlock(b.path or path, UNCLOSED) for b in blocks]


def _file_block(path: str, fence: Fence, comment: str, heading: Heading, around: Surroundings) -> FileBlock | BadBlock:
    language = language_for(path)
    lines = without_numbers(fence.lines[1:] if comment else fence.lines, language)
    lines = without_entities(lines) if language == "python" else lines
    if problem := _no_content(path, fence, lines, around):
        return BadBlock(path, problem)
    sections, problem = read_sections(lines)
    if problem:
        return BadBlock(path, problem)
    whole = _whole(path, replace(fence, lines=lines), comment)
    if isinstance(whole, BadBlock):
        return whole
    if OLD.search(fence.above) or OLD.search(fence.info):
        whole = replace(whole, is_old=True)
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
    if says_it_is_deleted(lines):
        return "a block deletes no file; a ```run block can ask for it in plain words"
    if is_shown_by_terminal(lines, language_for(path)):
        return "the block is what a terminal showed, not the file's content; write the content"
    return ""


def _whole(path: str, fence: Fence, comment: str) -> FileBlock | BadBlock:
    if not fence.closed:
        return BadBlock(path, UNCLOSED)
    if not fence.text.strip() and path.rsplit("/", 1)[-1] not in MAY_BE_EMPTY:
        return BadBlock(path, "the block is empty; write the file's whole content, or SEARCH/REPLACE sections")
    return FileBlock(path, fence.text, heading=comment)


def _take_without_path(fence: Fence, heading: Heading, reading: _Reading, *, alone: bool) -> None:
    if not fence.text.strip():
        reading.unused.append(UnusedBlock(fence.opening, "it is empty"))
        return
    if heading.language in SHELLS and (asked := only_searches(fence.lines)):
        reading.shows += asked
        return
    if heading.language in SHELLS:
        reading.unused.append(UnusedBlock(fence.opening, _NOT_RUN))
        return
    if edits := bare_edits(fence.text, reading.around.files)[0]:
        reading.files += [_file_block(read_info(e.info).path, e, "", Heading(), reading.around) for e in edits]
        return
    path = certain_path(fence, heading.language, reading.around, alone=alone)
    if path:
        reading.files.append(_file_block(path, fence, "", heading, reading.around))
        return
    part = part_of(fence, heading.language or "python", reading.around, alone=alone)
    if part:
        reading.files.append(FileBlock(part, fence.text, is_part=True))
        return
    likely = named_path(heading.language, reading.around)
    form = form_for(likely, heading.language)
    if heading.language in ("output", "text", "plaintext", "console", "log", "json", "") and not has_markers(
        fence.lines
    ):
        reading.unused.append(UnusedBlock(fence.opening, f"it names no path; a file's block begins with {form}"))
        return
    reading.unused.append(
        UnusedBlock(fence.opening, f"it names no path, so nothing was written; begin the block with {form}")
    )


def _take_calls(calls: list[Call], reading: _Reading) -> bool:
    """Take printed calls as what they mean; whether there was any that is understood."""
    for call in calls:
        meanings: list[Meaning | None] = [*meanings_of(call)]
        for meaning in meanings or [None]:
            _take_meaning(call, meaning, reading)
    return bool(calls)


def _take_meaning(call: Call, meaning: Meaning | None, reading: _Reading) -> None:
    if isinstance(meaning, FileBlock):
        reading.files.append(_checked(meaning, reading.around))
    elif isinstance(meaning, BadBlock):
        reading.files.append(meaning)
    elif isinstance(meaning, ShowRequest | SearchRequest):
        reading.shows.append(meaning)
    elif isinstance(meaning, CodeCall):
        reading.instructions.append(f"Run this {meaning.language} code:\n````{meaning.language}\n{meaning.code}\n````")
    else:
        reason = f"there are no tools to call; write a file as a block that begins with {form_for('')}"
        reading.unused.append(UnusedBlock(f"the call of {call.name}", reason))


def _checked(block: FileBlock, around: Surroundings) -> FileBlock | BadBlock:
    if is_placeholder(block.path, around.files, around.task):
        return BadBlock(block.path, f"{block.path} only stands for a path; write the real one")
    if not block.is_edit:
        fence = Fence("", tuple(block.content.rstrip("\n").split("\n")) if block.content else (), 1)
        return (
            _file_block(block.path, fence, "", Heading(), around)
            if block.content.strip()
            else _whole(block.path, replace(fence, lines=()), "")
        )
    return block


def _last_of_each(reading: _Reading) -> tuple[FileBlock | BadBlock, ...]:
    found = [with_known_path(b, reading.around) if isinstance(b, FileBlock) else b for b in reading.files]
    kept, unused = one_for_each_file(found, reading.around.files)
    reading.unused += unused
    return kept


def _show_request(line: str, around: Surroundings, say: str = "") -> ShowRequest | SearchRequest:
    """`say` is what a line of a block of searches begins with, unless it does already."""
    if (found := search_in(line, around.files) or (search_in(say + line.strip()) if say else None)) is not None:
        return found
    match = _RANGE.match(line.strip().lstrip("-* ").strip("`"))
    if match is None:
        return ShowRequest(line.strip())
    first, last = match["first"], match["last"]
    return ShowRequest(match["path"].removeprefix("./"), int(first) if first else None, int(last) if last else None)
