"""Where fenced blocks begin and end: one scanner for all who read replies.

A fence that stands inside what a block holds (a docstring, a heredoc, a Markdown file) does not end it. Which fence
does is settled by what parses; where two readings stay, the block is marked.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.languages import SHELLS
from super_agent.core.replies.literal_text import ends_inside_text, literal_text
from super_agent.core.replies.search_replace import open_section_at
from super_agent.core.text import indent_of, joined, lines_of

OPENING = re.compile(r"^[\ufeff\u200b]?(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>(?:(?!```)[^\r\n])*)$")
STOPS = (
    r"(?:<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end|EOT)\|>|</s>|<end_of_turn>|<｜end▁of▁sentence｜>"
    r"|\[/INST\])"
)
"""Tokens that end a model's turn, which some servers leave in its text."""
_CLOSING = {mark: re.compile(rf"^[ \t]*(?P<fence>{mark}{{3,}})[ \t]*{STOPS}*[ \t]*$") for mark in "`~"}
MAX_CANDIDATES = 24
"""Closing fences that are tried for one block; each costs a parse."""
MAX_IN_TEXT = 200
"""Those that are tried against the text that code holds; each costs a look at a few lines."""
LanguageOf = Callable[[str, str], str]
"""Of a block's heading and the line above it: the language of what it holds, lower case, or empty."""
_MARKDOWN = ("markdown", "md", "mdx", "rst")
_MARKUP = ("html", "htm", "xml", "vue", "svelte")
_INDENTED = ("yaml", "yml", "makefile", "make")
_CURLY = frozenset(
    ("javascript", "js", "jsx", "node", "typescript", "ts", "tsx", "java", "c", "h", "cpp", "c++", "csharp", "cs", "go",
     "golang", "rust", "rs", "kotlin", "swift", "css", "scss", "php", "scala", "dart", "json")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fence:
    """One block. `above` is the line before it that holds text, at most one empty line between.

    `line` is that of the opening, counted from 1.
    """

    info: str
    lines: tuple[str, ...]
    line: int
    above: str = ""
    closed: bool = True
    certain: bool = True
    """False where its end is a guess."""

    @property
    def span(self) -> range:
        """Its lines in the reply, counted from 0, those of the fences too (the last is none where it is not closed)."""
        return range(self.line - 1, self.line + len(self.lines) + 1)

    @property
    def opening(self) -> str:
        """The first line, as it is named to the model."""
        return f"```{self.info}"

    @property
    def text(self) -> str:
        """What it holds, each line with its newline."""
        return joined(self.lines)


def fences(text: str, language_of_info: LanguageOf) -> Iterator[Fence]:
    """All blocks of a reply, in order; what follows one is looked at when the next is asked for."""
    lines = lines_of(text)
    closings = {mark: [i for i, line in enumerate(lines) if _CLOSING[mark].match(line)] for mark in _CLOSING}
    position = 0
    while position < len(lines):
        opening = OPENING.match(lines[position])
        if opening is None or (opening["info"].count("`") % 2):
            position += 1
            continue
        fence, info = opening["fence"], opening["info"].strip()
        block = _Open(lines, position + 1, len(opening["indent"]), fence, closings[fence[0]])
        above = heading_above(lines, position)
        end, certain = _end(block, language_of_info(info, above))
        yield Fence(info, tuple(block.body(end)), position + 1, above, end < len(lines), certain)
        position = end + 1


@dataclass(frozen=True, slots=True)
class _Open:
    """A block whose end is looked for. Lines are counted from 0; `closings` are bare fences of its character."""

    lines: list[str]
    start: int
    indent: int
    fence: str
    closings: list[int]

    def ends(self, most: int) -> list[int]:
        """The first lines that could close it."""
        later = (self.closings[at] for at in range(bisect_left(self.closings, self.start), len(self.closings)))
        return list(islice((i for i in later if self._closes(self.lines[i])), most))

    def _closes(self, line: str) -> bool:
        found = _CLOSING[self.fence[0]].match(line)
        return found is not None and len(found["fence"]) >= len(self.fence)

    def body(self, end: int) -> list[str]:
        """What it holds if it ends there; content that is not indented like its fence keeps its own margin."""
        held = self.lines[self.start : end]
        first = next((line for line in held if line.strip()), "")
        margin = min(self.indent, len(indent_of(first)))
        return [_dedented(line, margin) for line in held]


def heading_above(lines: Sequence[str], position: int) -> str:
    """The line before that of this place, or before one empty line; without its margin."""
    for back in (1, 2):
        if position - back >= 0 and lines[position - back].strip():
            return lines[position - back].strip()
    return ""


def _dedented(line: str, indent: int) -> str:
    """A fence inside a list item is indented, and its content with it."""
    return line[min(indent, len(indent_of(line))) :]


def _end(block: _Open, language: str) -> tuple[int, bool]:
    candidates = block.ends(MAX_CANDIDATES)
    if not candidates:
        return len(block.lines), True
    first = candidates[0]
    past_sections = next((i for i in candidates if not open_section_at(block.body(i))), None)
    if past_sections != first:
        return past_sections or first, True  # of a section that has no end its reader says that better
    if language in _MARKDOWN:
        return _end_of_markdown(block.lines, block.start, candidates, block.fence)
    if language == "python":
        return _end_of_python(block, candidates)
    if language in SHELLS:
        end = _outside_text("shell", block)
        return end, end < len(block.lines)
    return _end_of_other(block, candidates, language)


def _end_of_other(block: _Open, candidates: list[int], language: str) -> tuple[int, bool]:
    """By what each language has of texts, brackets and margins; the first one where it has none of them."""
    first = candidates[0]
    if language in _MARKUP and not _is_whole_markup(block.body(first)):
        whole = next((i for i in candidates[1:] if _is_whole_markup(block.body(i))), None)
        if whole is not None:
            return whole, True
    if ends_inside_text(language, block.body(first)) and len(candidates) > 1:
        whole = next((i for i in candidates[1:] if not ends_inside_text(language, block.body(i))), None)
        return (first, False) if whole is None else (whole, True)
    if language in _INDENTED:
        first = _at_its_margin(block, candidates)
    nested = any(_labelled(line, block.fence) for line in block.lines[block.start : first])
    if language in _CURLY and not _balanced(block.body(first)):
        whole = next((i for i in candidates[1:] if _balanced(block.body(i))), None)
        return (first, not nested) if whole is None else (whole, True)
    return first, not nested


def _at_its_margin(block: _Open, candidates: list[int]) -> int:
    """The first one that is not indented deeper than the opening, as a text in the file is; up to the next block."""
    stop = next(
        (
            i
            for i in range(candidates[0], len(block.lines))
            if i not in candidates and _labelled(block.lines[i], block.fence)
        ),
        None,
    )
    here = [i for i in candidates if stop is None or i < stop]
    return next((i for i in here if len(indent_of(block.lines[i])) <= block.indent), candidates[0])


def _end_of_python(block: _Open, candidates: list[int]) -> tuple[int, bool]:
    """A prefix that ends inside a string never parses, so the first one that does is the block."""
    for end in candidates:
        if parses(joined(block.body(end))):
            return end, True
    end = _outside_text("python", block)
    return end, end == candidates[0] and not any(_labelled(line, "```") for line in block.body(end))


def _outside_text(language: Literal["python", "shell"], block: _Open) -> int:
    """The first closing fence that stands in no text that the code holds, or the end of the reply: it is missing."""
    ends = block.ends(MAX_IN_TEXT)
    if literal_text(language, block.body(ends[0])).open_from is None:
        return ends[0]
    reach = len(block.lines) if len(ends) < MAX_IN_TEXT else ends[-1] + 1
    literal = literal_text(language, block.body(reach))
    return next((i for i in ends if not literal.holds(i - block.start)), len(block.lines))


def _labelled(line: str, fence: str) -> bool:
    inner = OPENING.match(line)
    return inner is not None and inner["fence"].startswith(fence) and bool(inner["info"].strip())


def _end_of_markdown(lines: list[str], start: int, candidates: list[int], fence: str) -> tuple[int, bool]:
    """Of the fences that could end it, those between which the file's own blocks are all closed; one must be left."""
    stop = next((i for i in range(candidates[-1] + 1, len(lines)) if _labelled(lines[i], fence)), len(lines))
    wholes: list[int] = []
    is_open, nested = False, False
    for i in range(start, min(stop, len(lines))):
        if i in candidates:
            if not is_open:
                wholes.append(i)
            is_open = not is_open
        elif not is_open and _labelled(lines[i], fence):
            if wholes:
                break
            is_open, nested = True, True
    later = [i for i in candidates if not wholes or i > wholes[0]]
    certain = len(wholes) == 1 and not (later and not nested and _bare_follows(lines, wholes[0], fence))
    return (wholes[0] if wholes else candidates[0]), certain


def _bare_follows(lines: list[str], end: int, fence: str) -> bool:
    following = next(
        (m["info"] for line in lines[end + 1 :] if (m := OPENING.match(line)) and m["fence"].startswith(fence)), "-"
    )
    return not following.strip()


_ELEMENT = re.compile(
    r"<(?P<end>/?)(?P<name>html|head|body|main|div|section|article|pre|code|script|style|template|textarea|table|ul|ol)\b",
    re.IGNORECASE,
)


def _is_whole_markup(lines: list[str]) -> bool:
    """Whether the elements that always have an end have it."""
    opened = Counter[str]()
    for found in _ELEMENT.finditer("\n".join(lines)):
        opened[found["name"].lower()] += -1 if found["end"] else 1
    return not any(opened.values())


_TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`|[(){}\[\]]|/\*", re.DOTALL)


def _balanced(lines: list[str]) -> bool:
    """Whether brackets, comments and template strings are closed; a line that is only a fence is text of one."""
    text = "\n".join("" if re.match(r"^\s*`{3,}", line) else line for line in lines)
    depth, in_template = 0, False
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "`" and text[token.start() - 1 : token.start()] != "\\":
            in_template = not in_template
        elif mark == "/*":
            return False
        elif not in_template and mark in "({[":
            depth += 1
        elif not in_template and mark in ")}]":
            depth -= 1
    return depth == 0 and not in_template
