"""Which file a block is of, where that does not stand after its language.

A path may stand on the line above, in a comment, in the first line or in the heading of the section; a block may hold
several files, each below a comment that is its path; and a path may be written otherwise than the file's own.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from super_agent.core.replies.definitions import definitions, is_use_of, parses
from super_agent.core.replies.fences import Fence
from super_agent.core.replies.languages import CODE_LANGUAGES, SHELLS, language_for
from super_agent.core.replies.patches import is_patch
from super_agent.core.replies.paths import Heading, path_above, path_in_comment, read_info, with_slashes
from super_agent.core.replies.search_replace import read_sections
from super_agent.core.replies.types import FileBlock, Surroundings

_HEADING = re.compile(r"^(?:#{1,6}\s+\S.*|\*\*[^*]+\*\*:?|(?:\d+[.)]|[-*])\s+\*\*[^*]+\*\*:?)\s*$")
_OTHER = re.compile(
    r"\b(?:usage|use|using|used|example|e\.g|run|running|output|prints?|test|tests|call|import|before|old|original|"
    r"current|currently|was|delete|remove|uso|usar|exemplo|rodar|executar?|execute|saída|teste|antes|apagar|remover)\b",
    re.IGNORECASE,
)
"""Words of sentences that say of a block that it is something else than the file."""
_MOVES = re.compile(r"\b(?:mov|renam|cop[iy]|split|extract|extra[ií]|separ|divid|renome)\w*", re.IGNORECASE)


def path_of(fence: Fence, heading: Heading, around: Surroundings) -> tuple[str, str]:
    """The path that a block is headed by, and its first line where that is the heading.

    A line above or a comment may also say what file the code is about: code that has nothing of what the file defines
    is an example of its use.
    """
    if heading.path:
        return heading.path, ""
    is_patch_text = heading.language in ("diff", "patch", "udiff")
    path, comment = path_above(fence.above, "" if is_patch_text else heading.language, around.files), ""
    if not path and fence.lines:
        path = path_in_comment(fence.lines[0], heading.language, around.files)
        comment = fence.lines[0] if path else ""
    uses = path in around.files and language_for(path) == "python" and is_use_of(around.files[path], fence.text)
    return ("", "") if uses else (path, comment)


def each_file(fence: Fence, known: Collection[str]) -> list[Fence]:
    """The block itself, or its parts where that is certain.

    Each part begins with a comment that is the path of a file that exists, the first one perhaps with the block's own
    path, and those of Python parse.
    """
    places = [i for i, line in enumerate(fence.lines) if _path(line, known)]
    paths = [_path(fence.lines[i], known) for i in places]
    if places[:1] != [0] and (own := read_info(fence.info, known).path):
        places, paths = [0, *places], [own, *paths]
    if not places and (new := _new_files(fence, known)):
        places, paths = list(new), list(new.values())
    if len(places) < 2 or places[0] or len(set(paths)) < len(paths):
        return [fence]
    ends = [*places[1:], len(fence.lines)]
    parts = [_without_blanks(fence.lines[a:b]) for a, b in zip(places, ends, strict=True)]
    if not all(parses("\n".join(lines)) for lines, path in zip(parts, paths, strict=True) if path.endswith(".py")):
        return [fence]
    return [
        replace(fence, info=f"{language_for(path)} {path}", lines=_body(lines, path, known), line=fence.line + place)
        for lines, path, place in zip(parts, paths, places, strict=True)
    ]


def _path(line: str, known: Collection[str]) -> str:
    """The path of a known file that a line at the left margin is and nothing else."""
    path = "" if line[:1] in (" ", "\t", "") else path_in_comment(line, "", known)
    return path if path in known else ""


def _new_files(fence: Fence, known: Collection[str]) -> dict[int, str]:
    """Of code without a path the lines that are the path of a new file, each behind an empty line, by their place."""
    language = read_info(fence.info, known).language
    if language not in CODE_LANGUAGES or read_info(fence.info, known).path:
        return {}
    apart = [i for i, line in enumerate(fence.lines) if line[:1].strip() and (not i or not fence.lines[i - 1].strip())]
    found = {i: path for i in apart if (path := path_in_comment(fence.lines[i], language, known))}
    return found if all(language_for(path) == language for path in found.values()) else {}


def _body(lines: tuple[str, ...], path: str, known: Collection[str]) -> tuple[str, ...]:
    return lines[1:] if lines and path_in_comment(lines[0], "", known) == path else lines


def _without_blanks(lines: tuple[str, ...]) -> tuple[str, ...]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def with_first_line_as_path(fence: Fence, known: Collection[str]) -> Fence:
    """A block without an info string whose first line is the path of a file that exists, and the rest that file.

    Below any language the rest may be an edit. Else it may begin with the fence that was meant, and must be Python that
    defines something, as no list of files does.
    """
    path = fence.lines[0].strip().strip("*`:") if fence.lines else ""
    if path not in known or read_info(fence.info, known).path:
        return fence
    if read_sections(fence.lines[1:])[0] or is_patch(fence.lines[1:], language_for(path)):
        return replace(fence, info=f"{language_for(path) or 'text'} {path}", lines=fence.lines[1:])
    if language_for(path) != "python" or fence.info.strip():
        return fence
    twice = fence.lines[1:2] != () and fence.lines[1].startswith("```")
    rest = fence.lines[2:] if twice else fence.lines[1:]
    if not definitions("python", "\n".join(rest)):
        return fence
    return replace(fence, info=f"python {path}", lines=rest, certain=fence.certain or twice)


def with_section_headings(found: Sequence[Fence], text: str, files: Mapping[str, frozenset[str]]) -> list[Fence]:
    """The blocks, those without a path of their own with that of their section, where each is the only one in its."""
    lines = text.replace("\r\n", "\n").split("\n")
    inside = {i for fence in found for i in fence.span}
    headings = [i for i, line in enumerate(lines) if i not in inside and _HEADING.match(line)]
    return [_with_heading_of_section(fence, found, lines, headings, files) for fence in found]


def _with_heading_of_section(
    fence: Fence, found: Sequence[Fence], lines: list[str], headings: list[int], files: Mapping[str, frozenset[str]]
) -> Fence:
    above = [i for i in headings if i < fence.line - 1]
    info = read_info(fence.info, files)
    if not above or info.path or info.language in SHELLS or path_above(fence.above, info.language, files):
        return fence
    start = above[-1]
    end = next((i for i in headings if i > start), len(lines))
    if sum(start < each.line - 1 < end for each in found) != 1 or not fence.lines:
        return fence
    between = " ".join(lines[start + 1 : fence.line - 1])
    path = path_above(lines[start].strip(), info.language, files)
    if not path or _OTHER.search(between) or path_in_comment(fence.lines[0], info.language, files):
        return fence
    if path in files and not definitions(language_for(path), fence.text) & files[path]:
        return fence  # perhaps some lines of it
    return replace(fence, above=lines[start].strip())


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
