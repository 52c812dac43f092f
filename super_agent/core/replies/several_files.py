"""One block that holds several files, each below a comment that is its path, becomes a block for each."""

from collections.abc import Collection
from dataclasses import replace

from super_agent.core.replies.definitions import definitions, parses
from super_agent.core.replies.fences import Fence
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.patches import is_patch
from super_agent.core.replies.paths import path_in_comment, read_info
from super_agent.core.replies.sections import read_sections


def each_file(fence: Fence, known: Collection[str]) -> list[Fence]:
    """The block itself, or its parts where that is certain.

    Each part begins with a comment that is the path of a file that exists, the first one perhaps with the block's own
    path, and those of Python parse.
    """
    places = [i for i, line in enumerate(fence.lines) if _path(line, known)]
    paths = [_path(fence.lines[i], known) for i in places]
    if places[:1] != [0] and (own := read_info(fence.info, known).path):
        places, paths = [0, *places], [own, *paths]
    if len(places) < 2 or places[0] or len(set(paths)) < len(paths):
        return [fence]
    ends = [*places[1:], len(fence.lines)]
    parts = [_without_blanks(fence.lines[a:b]) for a, b in zip(places, ends, strict=True)]
    if not all(parses("\n".join(lines)) for lines, path in zip(parts, paths, strict=True) if path.endswith(".py")):
        return [fence]
    return [
        replace(fence, info=f"{language_for(path)} {path}", lines=_body(lines, known), line=fence.line + place)
        for lines, path, place in zip(parts, paths, places, strict=True)
    ]


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


def _path(line: str, known: Collection[str]) -> str:
    """The path of a known file that a line at the left margin is and nothing else."""
    path = "" if line[:1] in (" ", "\t", "") else path_in_comment(line, "", known)
    return path if path in known else ""


def _body(lines: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    return lines[1:] if lines and _path(lines[0], known) else lines


def _without_blanks(lines: tuple[str, ...]) -> tuple[str, ...]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
