"""Thoughts that a model writes into its reply, told apart from what it says.

Many models and templates leave them in the content, some without the tag that opens them.
"""

import re

from super_agent.core.replies.definitions import parses
from super_agent.core.replies.fence_tracker import FenceTracker
from super_agent.core.replies.fences import Fence, fences
from super_agent.core.replies.languages import language_of

_NAMES = r"think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|seed:think|seed:cot_budget_reflect"
_OPEN = re.compile(
    rf"<(?:{_NAMES})>|<\|think\|>|<\|channel>(?:thought|analysis)|\[THINK\]|◁think▷|<\|begin_of_thought\|>"
    r"|(?:<\|start\|>assistant)?<\|channel\|>\s*analysis\s*<\|message\|>",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</(?:{_NAMES})>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>"
    r"|<\|end\|>(?:<\|start\|>assistant)?<\|channel\|>\s*final\s*<\|message\|>"
    r"|<\|end\|>(?=(?:<\|start\|>assistant)?<\|channel\|>\s*commentary)|<\|/think\|>|<channel\|>",
    re.IGNORECASE,
)

_HEADED = re.compile(
    r"\s*(?:analysis(?=[A-Z`\s])(?P<a>.*?)assistantfinal"
    r"|Here is my thought process:(?P<b>.*?)\n\s*Here is my response:)(?P<said>.*)",
    re.DOTALL,
)
"""Of gpt-oss where its tokens were taken out, and of Granite."""


def split_thoughts(text: str) -> tuple[str, str]:
    """What was said, and what was only thought; a thought that is opened and never closed lasts to the end.

    A tag counts where it begins a line outside of a block, or ends one and is closed later; a closing tag that nothing
    opened, where it stands alone on its line or ends a line of prose.
    """
    if headed := _HEADED.fullmatch(text):
        return headed["said"].lstrip("\r\n"), (headed["a"] or headed["b"]).strip("\r\n")
    if not (_OPEN.search(text) or _CLOSE.search(text)):
        return text, ""
    thoughts: list[str] = []
    said: list[str] = []
    rest = _without_unopened(text, thoughts)
    while (opening := _opening(rest)) is not None:
        said.append(rest[: opening.start()])
        closing = _CLOSE.search(rest, opening.end())
        thoughts.append(rest[opening.end() : closing.start() if closing else len(rest)])
        rest = rest[closing.end() :] if closing else ""
    if not thoughts:
        return text, ""
    said.append(rest)
    return "".join(said).lstrip("\r\n"), "\n".join(t.strip("\r\n") for t in thoughts)


def _without_unopened(text: str, thoughts: list[str]) -> str:
    """Cut off all up to a closing tag that no opening one stands before; templates put that one into the prompt."""
    blocks: list[Fence] | None = None
    for closing in _CLOSE.finditer(text):
        before = _OPEN.search(text, 0, closing.start())
        if before is not None:
            return text
        line_start = text.rfind("\n", 0, closing.start()) + 1
        line_end = text.find("\n", closing.end())
        lead, tail = text[line_start : closing.start()], text[closing.end() : line_end if line_end >= 0 else len(text)]
        blocks = _python_blocks(text) if blocks is None else blocks
        line = text.count("\n", 0, closing.start())
        if any(line in block.span for block in blocks):
            continue
        if not re.search(r"[\"'`=]", lead) and not re.search(r"^\s*[\"'`)\]]", tail):
            thoughts.append(text[: closing.start()])
            return text[closing.end() :]
    return text


def _python_blocks(text: str) -> list[Fence]:
    """The blocks that Python reads."""
    blocks = fences(text, lambda info, _above: language_of(info.split()[0]) if info else "")
    return [block for block in blocks if block.closed and block.info.startswith("py") and parses(block.text)]


def _opening(text: str) -> re.Match[str] | None:
    """The first opening tag that begins a line outside of a fenced block."""
    fence = FenceTracker()
    position, last_close = 0, max((m.start() for m in _CLOSE.finditer(text)), default=-1)
    for line in text.split("\n"):
        if not fence.take(line) and not fence.mark:
            found = _OPEN.match(text, position + len(line) - len(line.lstrip()))
            if found is not None:
                return found
            ending = next((m for m in _OPEN.finditer(line) if not line[m.end() :].strip()), None)
            if ending and not re.search(r"[\"'`=]", line[: ending.start()]) and last_close >= position + len(line):
                return _OPEN.match(text, position + ending.start())
        position += len(line) + 1
    return None
