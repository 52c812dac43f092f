"""Which block of a reply runs: the first one in a language we run, never one that the length limit cut."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "shell"]
LANGUAGES: Mapping[str, Language] = {
    "python": "python", "py": "python", "python3": "python", "ipython": "python",
    "shell": "shell", "bash": "shell", "sh": "shell", "zsh": "shell", "console": "shell", "shell-session": "shell",
}  # fmt: skip
_OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]*)$")
_TOOL_CALL = re.compile(r'^\s*\{\s*"name"\s*:')


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Code as it will run."""

    language: Language
    code: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The block that runs, if any, and what the model should know about the others; no notes: nothing was left out."""

    block: CodeBlock | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fence:
    info: str
    code: str
    closed: bool


def choose_block(text: str, finish_reason: str) -> Choice:
    """Choose from a whole reply; `finish_reason` "length" means that the limit cut it."""
    fences = _fences(text)
    if not fences:
        call = _tool_call(text)
        cut = call is None and finish_reason == "length"
        return Choice(call, ("Your reply was cut by the length limit. Say it shorter.",) if cut else ())
    notes: list[str] = []
    chosen: CodeBlock | None = None
    for fence in fences:
        language = LANGUAGES.get(fence.info.split()[0].lower() if fence.info.split() else "")
        if chosen is not None:
            if language is not None:
                notes.append("Only the first block of a reply runs; the blocks after it were left alone.")
                break
        elif language is None:
            notes += _left_alone(fence)
        elif not fence.code.strip():
            notes.append(f"The {fence.info} block was empty.")
        elif not fence.closed and finish_reason == "length":
            notes.append("Your reply was cut by the length limit inside the block, so it was not run. Write less code.")
        else:
            code = _without_prompts(fence.code) if language == "shell" else fence.code
            chosen = CodeBlock(language, code)
    return Choice(chosen, tuple(dict.fromkeys(notes)))


def _left_alone(fence: _Fence) -> list[str]:
    """A note for a block that may have been meant to run; output quoted as text or data is none."""
    if fence.info.strip():
        return []
    return ["A block without a language was not run. Name python or shell after the opening fence."]


def _fences(text: str) -> list[_Fence]:
    found: list[_Fence] = []
    lines = text.replace("\r\n", "\n").split("\n")
    position = 0
    while position < len(lines):
        opening = _OPENING.match(lines[position])
        if opening is None:
            position += 1
            continue
        end = _end_of(lines, position + 1, opening["fence"])
        indent = len(opening["indent"])
        body = [_dedented(line, indent) for line in lines[position + 1 : end]]
        found.append(_Fence(opening["info"].strip(), "\n".join(body), end < len(lines)))
        position = end + 1
    return found


def _end_of(lines: list[str], start: int, fence: str) -> int:
    closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((i for i in range(start, len(lines)) if closing.match(lines[i])), len(lines))


def _dedented(line: str, indent: int) -> str:
    """A fence inside a list item is indented, and its code with it."""
    lead = len(line) - len(line.lstrip(" \t"))
    return line[min(indent, lead) :]


def _without_prompts(code: str) -> str:
    """`$ ls` as in a transcript: when every line that is not output has a prompt, keep the commands only."""
    lines = code.split("\n")
    if not lines[0].lstrip().startswith("$ "):
        return code
    return "\n".join(line.lstrip()[2:] for line in lines if line.lstrip().startswith("$ "))


def _tool_call(text: str) -> CodeBlock | None:
    """Some models print a tool call as JSON text (qwen2.5-coder); taken when the whole reply is one for `execute`."""
    if not _TOOL_CALL.match(text):
        return None
    try:
        value = json.loads(text)
        arguments = value["arguments"]
        language, code = LANGUAGES.get(str(arguments["language"]).lower()), arguments["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if value.get("name") != "execute" or language is None or not isinstance(code, str) or not code.strip():
        return None
    return CodeBlock(language, code)
