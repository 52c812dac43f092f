"""Where fenced blocks begin and end: one scanner for all who read replies.

A fence that stands inside what a block holds (a docstring, a heredoc, a Markdown file) does not end it. Which fence
does is settled by what parses; where two readings stay, the block is marked.
"""

import re
from dataclasses import dataclass

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.languages import SHELLS
from super_agent.core.replies.lines import indent_of, joined, lines_of
from super_agent.core.replies.literal_text import literal_text
from super_agent.core.replies.sections import open_section_at

OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>(?:(?!```)[^\r\n])*)$")
MAX_CANDIDATES = 24
"""Closing fences that are tried for one block; each costs a parse."""
_MARKDOWN = ("markdown", "md", "mdx", "rst")
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
    def opening(self) -> str:
        """The first line, as it is named to the model."""
        return f"```{self.info}"

    @property
    def text(self) -> str:
        """What it holds, each line with its newline."""
        return joined(self.lines)


def fences(text: str, language_of_info: "LanguageOf") -> list[Fence]:
    """All blocks of a reply, in order. `language_of_info` gives the language of what a block holds, or empty."""
    found: list[Fence] = []
    lines = lines_of(text)
    position = 0
    while position < len(lines):
        opening = OPENING.match(lines[position])
        if opening is None or (opening["info"].count("`") % 2):
            position += 1
            continue
        indent, fence = len(opening["indent"]), opening["fence"]
        info = opening["info"].strip()
        above = _above(lines, position)
        end, certain = _end(lines, position + 1, fence, language_of_info(info, above), indent)
        body = tuple(_dedented(line, indent) for line in lines[position + 1 : end])
        found.append(Fence(info, body, position + 1, above, end < len(lines), certain))
        position = end + 1
    return found


class LanguageOf:
    """How a scanner learns what a block holds; see `fences`."""

    def __call__(self, info: str, above: str) -> str:
        """The language, lower case, or empty."""
        raise NotImplementedError


def _above(lines: list[str], position: int) -> str:
    for back in (1, 2):
        if position - back >= 0 and lines[position - back].strip():
            return lines[position - back].strip()
    return ""


def _dedented(line: str, indent: int) -> str:
    """A fence inside a list item is indented, and its content with it."""
    return line[min(indent, len(indent_of(line))) :]


def _end(lines: list[str], start: int, fence: str, language: str, indent: int) -> tuple[int, bool]:
    closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    candidates = [i for i in range(start, len(lines)) if closing.match(lines[i])]
    if not candidates:
        return len(lines), True
    candidates = candidates[:MAX_CANDIDATES]
    body = [_dedented(line, indent) for line in lines[start:]]
    first = candidates[0]
    while candidates and open_section_at(body[: candidates[0] - start]):
        candidates = candidates[1:]
    if not candidates:
        return first, True  # the section has no end, which its reader says better
    if candidates[0] != first:
        return candidates[0], True
    if language in _MARKDOWN:
        return _end_of_markdown(lines, start, candidates, fence)
    if language == "python":
        return _end_of_python(body, start, candidates)
    if language in SHELLS:
        return _end_of_shell(body, start, candidates)
    nested = any(_labelled(line, fence) for line in lines[start:first])
    if language in _CURLY and not _balanced(body[: first - start]):
        whole = [i for i in candidates[1:] if _balanced(body[: i - start])]
        return (whole[0], True) if whole else (first, not nested)
    return first, not nested


def _end_of_python(body: list[str], start: int, candidates: list[int]) -> tuple[int, bool]:
    """A prefix that ends inside a string never parses, so the first one that does is the block."""
    for end in candidates:
        if parses(joined(body[: end - start])):
            return end, True
    literal = literal_text("python", body)
    outside = next((i for i in candidates if not literal.holds(i - start)), candidates[0])
    held = body[: candidates[0] - start]
    return candidates[0], outside == candidates[0] and not any(_labelled(line, "```") for line in held)


def _end_of_shell(body: list[str], start: int, candidates: list[int]) -> tuple[int, bool]:
    literal = literal_text("shell", body)
    return next(((i, True) for i in candidates if not literal.holds(i - start)), (candidates[0], False))


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
