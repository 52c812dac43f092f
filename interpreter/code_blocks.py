"""Which block of a reply runs: the first one in a language we run, never one that the length limit cut."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from super_agent.core.replies.calls import Call, calls_in_json, meaning_of, printed_calls
from super_agent.core.replies.languages import language_of
from super_agent.core.replies.literal_text import literal_text
from super_agent.core.replies.types import CodeCall

Language = Literal["python", "shell"]
LANGUAGES: Mapping[str, Language] = {
    "python": "python", "py": "python", "python3": "python", "ipython": "python",
    "shell": "shell", "bash": "shell", "sh": "shell", "zsh": "shell", "console": "shell", "shell-session": "shell",
}  # fmt: skip
_OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]*)$")
_QUOTED = frozenset(
    ("json", "jsonc", "text", "txt", "plaintext", "plain", "output", "diff", "patch", "markdown", "md", "html", "xml",
     "yaml", "yml", "toml", "ini", "csv", "log", "css", "sql", "traceback", "http", "none", "stdout", "stderr", "tree")
)  # fmt: skip
"""What is shown, not meant to run."""
_PROMPT = re.compile(r"^\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[:\s][^$#\n]{0,60})?\$ ")
_CUT_INSIDE = "Your reply was cut by the length limit inside the block, so it was not run. Write less code."
_CUT = "Your reply was cut by the length limit. Say it shorter."


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Code as it will run, or a call of a tool."""

    language: Language | Literal["tool"]
    code: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The block that runs, if any, and what the model should know about the others; no notes: nothing was left out."""

    block: CodeBlock | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fence:
    info: str
    language: Language | None
    code: str
    closed: bool


def choose_block(text: str, finish_reason: str) -> Choice:
    """Choose from a whole reply; `finish_reason` "length" means that the limit cut it."""
    cut = finish_reason == "length"
    notes: list[str] = []
    chosen = _bare_call(text)
    for fence in _fences(text, cut=cut):
        if chosen is not None:
            if fence.language is not None:
                notes.append("Only the first block of a reply runs; the blocks after it were left alone.")
                break
        elif (call := _tool_call(fence.code)) is not None:
            chosen = call
        elif fence.language is None:
            notes += _left_alone(fence)
        elif not fence.code.strip():
            notes.append(f"The {fence.info} block was empty.")
        elif cut and not fence.closed:
            notes.append(_CUT_INSIDE)
        else:
            code = _without_prompts(fence.code) if fence.language == "shell" else fence.code
            chosen = CodeBlock(fence.language, code)
    if cut and chosen is None and not notes:
        notes.append(_CUT)
    return Choice(chosen, tuple(dict.fromkeys(notes)))


def _left_alone(fence: _Fence) -> list[str]:
    """A note for a block that may have been meant to run; output quoted as text or data is none."""
    if word := fence.info.strip():
        name = language_of(re.split(r"[\s:,]", word)[0])
        return [] if name in _QUOTED else [f"The {word} block was not run: only python and shell run. Use one of them."]
    return ["A block without a language was not run. Name python or shell after the opening fence."]


def _fences(text: str, *, cut: bool) -> Iterator[_Fence]:
    lines = text.replace("\r\n", "\n").split("\n")
    position = 0
    while position < len(lines):
        opening = _OPENING.match(lines[position])
        if opening is None:
            position += 1
            continue
        info, indent = opening["info"].strip(), len(opening["indent"])
        language = LANGUAGES.get(language_of(info.split()[0]) if info else "")
        closing = re.compile(rf"^[ \t]*{re.escape(opening['fence'][0])}{{{len(opening['fence'])},}}[ \t]*$")
        start = position + 1
        end = next((i for i in range(start, len(lines)) if closing.match(lines[i])), len(lines))
        if language is not None and any(line.strip() for line in lines[start:end]):
            rest = [_dedented(line, indent) for line in lines[start:]]
            end = start + _end_of_code(language, rest, end - start, closing, cut=cut)
        body = [_dedented(line, indent) for line in lines[start:end]]
        # Where the limit cut the reply at ```, that line may have gone on: ```bash closes nothing.
        yield _Fence(info, language, "\n".join(body), end < len(lines) - cut)
        position = end + 1


def _end_of_code(language: Language, lines: list[str], first: int, closing: re.Pattern[str], *, cut: bool) -> int:
    """Past fences in text that the code holds; `first` is the first line that could end it.

    Where such a text never ends, a reply that the limit cut was cut in it, and any other just lacks its end.
    """
    if first == len(lines):
        return first
    text = literal_text(language, lines)
    end = next((i for i in range(first, len(lines)) if closing.match(lines[i]) and not text.holds(i)), len(lines))
    return len(lines) if cut and text.is_open_at(end) else end


def _dedented(line: str, indent: int) -> str:
    """A fence inside a list item is indented, and its code with it."""
    lead = len(line) - len(line.lstrip(" \t"))
    return line[min(indent, lead) :]


def _without_prompts(code: str) -> str:
    """`$ ls` as in a transcript: keep the commands with their heredocs and continued lines; the rest is output."""
    lines = code.split("\n")
    prompt = _PROMPT.match(lines[0])
    if prompt is None:
        return code
    bare = [_PROMPT.sub("", line, count=1) for line in lines]
    literal = literal_text("shell", bare)
    kept: list[str] = []
    goes_on = False
    for number, line in enumerate(lines):
        held = literal.holds(number) or goes_on
        if _PROMPT.match(line) and not literal.holds(number):
            kept.append(bare[number])
        elif held:
            kept.append(line.removeprefix("> "))
        else:
            continue
        goes_on = kept[-1].endswith("\\")
    return "\n".join(kept)


def _bare_call(text: str) -> CodeBlock | None:
    """A reply that is a tool call as text and nothing else, or holds one in the tags that models are trained on."""
    return _first_code(printed_calls(text))


def _tool_call(text: str) -> CodeBlock | None:
    """Some models print a tool call as JSON, bare or in a fence (qwen2.5-coder); taken when it is all there is.

    `{"name": "execute", "arguments": {"language": "python", "code": "…"}}`, or with the language as the name.
    """
    return _first_code(calls_in_json(text))


def _first_code(calls: list[Call]) -> CodeBlock | None:
    meanings = (meaning_of(call) for call in calls)
    return next((CodeBlock(LANGUAGES[m.language], m.code) for m in meanings if isinstance(m, CodeCall)), None)
