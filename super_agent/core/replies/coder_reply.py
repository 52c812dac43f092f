"""A coder's whole reply, read by the table of forms: what each block is, and what is to be done with it.

Only what is certainly the content of a file becomes a `FileBlock`; all else is a `BadBlock` or named as unused.
"""

import re
from dataclasses import dataclass, replace
from functools import partial

from super_agent.core.replies.block_paths import (
    each_file,
    path_of,
    with_first_line_as_path,
    with_known_path,
    with_section_headings,
)
from super_agent.core.replies.definitions import only_defines
from super_agent.core.replies.edit_markers import has_markers
from super_agent.core.replies.fences import Fence, fences
from super_agent.core.replies.file_blocks import UNCLOSED, file_block, of_call, unfenced_files, whole_file
from super_agent.core.replies.heredocs import heredoc_files
from super_agent.core.replies.inferred_paths import certain_path, defines_task_file, named_path, part_of
from super_agent.core.replies.languages import SHELLS, language_for
from super_agent.core.replies.line_above import SHOWN, WARNED, shows, warns
from super_agent.core.replies.patches import is_patch, read_patch
from super_agent.core.replies.paths import Heading, path_above, read_info
from super_agent.core.replies.repeated_files import one_for_each_file
from super_agent.core.replies.search_replace import read_sections
from super_agent.core.replies.search_requests import only_searches, search_in
from super_agent.core.replies.tagged_tool_calls import MARK, PrintedCall, markup_calls
from super_agent.core.replies.thoughts import split_thoughts
from super_agent.core.replies.tool_call_meanings import Meaning, is_about_files, meanings_of
from super_agent.core.replies.tool_calls import calls_beside_prose, calls_in_json, looks_like_call, printed_calls
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
from super_agent.core.replies.unfenced_edits import unfenced_edits

_RANGE = re.compile(r"^(?P<path>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$")
_WRAPPED = re.compile(r"\s*(?P<fence>`{3,}|~{3,})(?:markdown|md)?[ \t]*\n(?P<said>.*\n)(?P=fence)\s*", re.DOTALL)
_File = FileBlock | BadBlock
_NOT_RUN = "nothing in a reply is run by itself; a ```run block holds one instruction in plain words"
MAX_SEARCHES = 5
"""Lines of a block that is headed by `search` or `grep`; more are not what somebody looks for."""


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
    said = _unwrapped(said, around)
    reading = _Reading(around, [], [], [], [])
    edits, said = unfenced_edits(said, around.files, read_fences(said, around))
    found = [with_first_line_as_path(fence, around.files.keys()) for fence in read_fences(said, around)]
    found = with_section_headings(found, said, around.files)
    found = sorted([*edits, *found], key=lambda fence: fence.line)
    calls = _calls_of(said, found)
    taken = _take_calls(calls, reading)
    alone = sum(_is_code(fence) for fence in found) == 1
    for fence in found:
        if warns(fence.above):
            reading.unused.append(UnusedBlock(fence.opening, WARNED))
        elif not taken or _is_beside(fence, calls):
            _take(fence, reading, alone=alone)
    if not found and not taken:
        reading.files += unfenced_files(said, around)
    files = _last_of_each(reading)
    return CoderReply(
        files, tuple(reading.shows), "\n".join(i for i in reading.instructions if i), tuple(reading.unused)
    )


def _unwrapped(said: str, around: Surroundings) -> str:
    """A reply without a fence around all of it, where it holds closed blocks of files and no Markdown is asked for."""
    wrapped = _WRAPPED.fullmatch(said)
    if wrapped is None or named_path("markdown", around):
        return said
    inner = read_fences(wrapped["said"], around)
    headed = all(path_of(fence, read_info(fence.info, around.files), around)[0] for fence in inner)
    return wrapped["said"] if inner and headed and all(fence.closed for fence in inner) else said


def _calls_of(said: str, found: list[Fence]) -> list[PrintedCall]:
    outside = _outside(said, found)
    if looks_like_call(outside) or (not found and said.lstrip()[:1] in ("{", "[")):
        return printed_calls(said)
    return [call for call in calls_beside_prose(outside) if is_about_files(call)]


def _is_beside(fence: Fence, calls: list[PrintedCall]) -> bool:
    """Whether a block that is headed by its path is no part of a call, so that both are meant."""
    text = fence.text.strip()
    return bool(read_info(fence.info).path) and not any(text in str(v) for c in calls for v in c.arguments.values())


def split_files(text: str, around: Surroundings = NOWHERE) -> tuple[tuple[FileBlock | BadBlock, ...], str]:
    """The files of a reply whose other blocks are code to run, and the reply without them.

    A block without a path is a file only where running it would do nothing but define what the file certainly holds.
    """
    reading = _Reading(around, [], [], [], [])
    edits, text = unfenced_edits(text, around.files, read_fences(text, around))
    left: list[Fence] = []
    found = read_fences(text, around)
    for shown in sorted([*edits, *found], key=lambda fence: fence.line):
        fence = with_first_line_as_path(shown, around.files.keys())
        count = len(reading.files)
        heading = read_info(fence.info, around.files)
        if warns(fence.above):
            continue
        if path_of(fence, heading, around)[0] or is_patch(fence.lines, heading.language):
            _take(fence, reading, alone=True)
        elif read_sections(fence.lines)[0]:
            reading.files.append(_sections_without_path(fence, heading, around))
        elif heading.language == "python" and only_defines(fence.text):
            if path := defines_task_file(fence.text, around):
                reading.files.append(file_block(path, fence, "", heading, around))
            elif path := part_of(fence, "python", around, alone=False):
                reading.files.append(FileBlock(path, fence.text, is_part=True))
        if len(reading.files) > count:
            left.append(shown)
    if not found and not left:
        reading.files += unfenced_files(text, around)
        text = "" if reading.files else text
    asked = [meaning for call in (printed_calls(text) if not left else []) for meaning in meanings_of(call)]
    reading.files += [of_call(m, around) if isinstance(m, FileBlock) else m for m in asked if isinstance(m, _File)]
    return _last_of_each(reading), _outside(text, left) if left else text


def _sections_without_path(fence: Fence, heading: Heading, around: Surroundings) -> FileBlock | BadBlock:
    """Search/replace sections are never code that runs."""
    if path := certain_path(fence, heading.language, around, alone=True):
        return file_block(path, fence, "", heading, around)
    return BadBlock("an edit", f"it names no path; begin the block with {form_for('', heading.language)}")


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
        for i in fence.span[: len(lines) - fence.line + 1]:
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
    path, comment = path_of(fence, heading, reading.around)
    if not path.endswith((".json", ".jsonl", ".ipynb")) and _take_calls(_calls_in(fence), reading):
        return
    language = heading.language or language_for(path)
    if _is_patch_file(path):
        reading.files.append(whole_file(path, fence, comment))
    elif is_patch(fence.lines, language):
        named = path or (named_path("", reading.around) if alone else "")
        named = named if named in known or path else ""
        reading.files += _unless_unclosed(fence, read_patch(fence.lines, named), named)
    elif path:
        reading.files.append(file_block(path, fence, comment, heading, reading.around))
    else:
        _take_without_path(fence, heading, reading, alone=alone)


def _calls_in(fence: Fence) -> list[PrintedCall]:
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


def _take_without_path(fence: Fence, heading: Heading, reading: _Reading, *, alone: bool) -> None:
    if not fence.text.strip():
        reading.unused.append(UnusedBlock(fence.opening, "it is empty"))
        return
    if heading.language in SHELLS and (asked := only_searches(fence.lines)):
        reading.shows += asked
        return
    if heading.language in SHELLS and shows(fence.above):
        reading.unused.append(UnusedBlock(fence.opening, SHOWN))
        return
    if heading.language in SHELLS and fence.closed and (written := heredoc_files(fence.lines)):
        plain = [(path, replace(fence, lines=lines, certain=True)) for path, lines in written]
        reading.files += [file_block(path, one, "", Heading(), reading.around) for path, one in plain]
        return
    if heading.language in SHELLS:
        reading.unused.append(UnusedBlock(fence.opening, _NOT_RUN))
        return
    if edits := unfenced_edits(fence.text, reading.around.files)[0]:
        reading.files += [file_block(read_info(e.info).path, e, "", Heading(), reading.around) for e in edits]
        return
    path = certain_path(fence, heading.language, reading.around, alone=alone)
    if path:
        reading.files.append(file_block(path, fence, "", heading, reading.around))
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


def _take_calls(calls: list[PrintedCall], reading: _Reading) -> bool:
    """Take printed calls as what they mean; whether there was any that is understood."""
    for call in calls:
        meanings: list[Meaning | None] = [*meanings_of(call)]
        for meaning in meanings or [None]:
            _take_meaning(call, meaning, reading)
    return bool(calls)


def _take_meaning(call: PrintedCall, meaning: Meaning | None, reading: _Reading) -> None:
    if isinstance(meaning, FileBlock):
        reading.files.append(of_call(meaning, reading.around))
    elif isinstance(meaning, BadBlock):
        reading.files.append(meaning)
    elif isinstance(meaning, ShowRequest | SearchRequest):
        reading.shows.append(meaning)
    elif isinstance(meaning, CodeCall):
        reading.instructions.append(f"Run this {meaning.language} code:\n````{meaning.language}\n{meaning.code}\n````")
    else:
        reason = f"there are no tools to call; write a file as a block that begins with {form_for('')}"
        reading.unused.append(UnusedBlock(f"the call of {call.name}", reason))


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
