"""The path in the heading of a section that holds one block, where a sentence stands between the two."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from super_agent.core.replies.definitions import definitions
from super_agent.core.replies.fences import Fence
from super_agent.core.replies.languages import SHELLS, language_for
from super_agent.core.replies.paths import path_above, path_in_comment, read_info

_HEADING = re.compile(r"^(?:#{1,6}\s+\S.*|\*\*[^*]+\*\*:?|(?:\d+[.)]|[-*])\s+\*\*[^*]+\*\*:?)\s*$")
_OTHER = re.compile(
    r"\b(?:usage|use|using|used|example|e\.g|run|running|output|prints?|test|tests|call|import|before|old|original|"
    r"current|currently|was|delete|remove|uso|usar|exemplo|rodar|executar?|execute|saída|teste|antes|apagar|remover)\b",
    re.IGNORECASE,
)
"""Words of sentences that say of a block that it is something else than the file."""


def with_section_headings(found: Sequence[Fence], text: str, files: Mapping[str, frozenset[str]]) -> list[Fence]:
    """The blocks, those without a path of their own with that of their section, where each is the only one in its."""
    lines = text.replace("\r\n", "\n").split("\n")
    inside = {i for f in found for i in range(f.line - 1, f.line + len(f.lines) + 1)}
    headings = [i for i, line in enumerate(lines) if i not in inside and _HEADING.match(line)]
    return [_headed(fence, found, lines, headings, files) for fence in found]


def _headed(
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
