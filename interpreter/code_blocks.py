"""Which block of a reply runs: the first one in a language we run, never one that the length limit cut."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from interpreter.transcripts import without_prompts, without_python_prompts
from super_agent.core.replies.fences import Fence, fences
from super_agent.core.replies.languages import RunLanguage, language_of, runs_as
from super_agent.core.replies.line_above import SHOWN, WARNED, shows, warns
from super_agent.core.replies.literal_text import literal_text
from super_agent.core.replies.tagged_tool_calls import PrintedCall
from super_agent.core.replies.tool_call_meanings import meaning_of
from super_agent.core.replies.tool_calls import calls_beside_prose, calls_in_json, looks_like_call, printed_calls
from super_agent.core.replies.types import CodeCall

_QUOTED = frozenset(
    ("json", "jsonc", "text", "txt", "plaintext", "plain", "output", "diff", "patch", "markdown", "md", "html", "xml",
     "yaml", "yml", "toml", "ini", "csv", "log", "css", "sql", "traceback", "http", "none", "stdout", "stderr", "tree",
     "jsonl", "json5", "tsv", "rst", "svg", "mermaid", "math", "result", "results", "error", "errors", "warning",
     "console-output", "shell-output")
)  # fmt: skip
"""What is shown, not meant to run."""
_SESSION = re.compile(r"\b(?:session|console)\b", re.IGNORECASE)
_SPOKEN_OF = re.compile(r"(?<=\w )(?:<[^<>\s/][^<>\n]{0,60}>|\[TOOL_CALLS\])(?= [a-z]|[.,;:!?](?:\s|$))")
"""A tag as a word of a sentence."""
_CUT_INSIDE = "Your reply was cut by the length limit inside the block, so it was not run. Write less code."
_CUT = "Your reply was cut by the length limit. Say it shorter."
_NOT_CALLED = "A call in the text was not run: there are no tools to call. Write the code in a python or shell block."


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Code as it will run, or a call of a tool."""

    language: RunLanguage | Literal["tool"]
    code: str


@dataclass(frozen=True, slots=True)
class ChosenBlock:
    """The block that runs, if any, and what the model should know about the others; no notes: nothing was left out."""

    block: CodeBlock | None
    notes: tuple[str, ...] = ()


def reply_fences(text: str) -> Iterator[Fence]:
    """The blocks of a reply, whatever they are headed, in order."""
    return fences(text, lambda info, _above: _first_word(info))


def choose_block(text: str, finish_reason: str) -> ChosenBlock:
    """Choose from a whole reply; `finish_reason` "length" means that the limit cut it."""
    cut = finish_reason == "length"
    notes: list[str] = []
    chosen = _bare_call(text)
    for fence in reply_fences(text):
        language, code = runs_as(_first_word(fence.info)), "\n".join(fence.lines)
        if chosen is not None:
            if language is not None:
                notes.append("Only the first block of a reply runs; the blocks after it were left alone.")
                break
        elif (call := _tool_call(code)) is not None and not shows(fence.above):
            chosen = call
        elif call is not None or language is None or not code.strip() or warns(fence.above):
            notes += _left_alone(fence, language, is_call=call is not None)
        elif cut and _was_cut(fence, language, text.count("\n")):
            notes.append(_CUT_INSIDE)
            break
        else:
            chosen = CodeBlock(language, _typed(code, language, fence.info))
    if chosen is None and not notes and not cut and _calls_in_prose(text):
        notes.append(_NOT_CALLED)
    if cut and chosen is None and not notes:
        notes.append(_CUT)
    return ChosenBlock(chosen, tuple(dict.fromkeys(notes)))


def _left_alone(fence: Fence, language: RunLanguage | None, *, is_call: bool) -> list[str]:
    """A note for a block that may have been meant to run; output quoted as text or data is none."""
    if is_call:
        return [f"A call was not run: {WARNED if warns(fence.above) else SHOWN}."]
    if language is not None:
        return [f"A block was not run: {WARNED}." if fence.text.strip() else f"The {fence.info} block was empty."]
    if word := fence.info:
        name = language_of(re.split(r"[\s:,]", word)[0])
        return [] if name in _QUOTED else [f"The {word} block was not run: only python and shell run. Use one of them."]
    return ["A block without a language was not run. Name python or shell after the opening fence."]


def _first_word(info: str) -> str:
    return language_of(info.split()[0]) if info else ""


def _was_cut(fence: Fence, language: RunLanguage, whole_lines: int) -> bool:
    """Whether what the limit cut off may have been part of the block, so that where it ends is not known.

    A reply's last line may have gone on: ```bash closes nothing. A text that the code holds may go on past a fence.
    """
    end = fence.line + len(fence.lines) + 1
    return not fence.closed or end > whole_lines or literal_text(language, fence.lines).open_from is not None


def _typed(code: str, language: RunLanguage, info: str) -> str:
    """The code without prompts and output, where the block shows a session."""
    if language == "python":
        return without_python_prompts(code)
    return without_prompts(code, session=_SESSION.search(info) is not None)


def _calls_in_prose(text: str) -> bool:
    """Whether something is called for outside of a block: code, or anything in the tags that only calls have."""
    lines = text.split("\n")
    for fence in reply_fences(text):
        lines[fence.line - 1 : fence.line + len(fence.lines)] = [""] * (len(fence.lines) + 1)
    prose = _SPOKEN_OF.sub("", "\n".join(lines))
    return looks_like_call(prose) or any(isinstance(meaning_of(call), CodeCall) for call in calls_beside_prose(prose))


def _bare_call(text: str) -> CodeBlock | None:
    """A reply that is a tool call as text and nothing else, or holds one in the tags that models are trained on."""
    return _first_code(printed_calls(text))


def _tool_call(text: str) -> CodeBlock | None:
    """Some models print a tool call as JSON, bare or in a fence (qwen2.5-coder); taken when it is all there is.

    `{"name": "execute", "arguments": {"language": "python", "code": "…"}}`, or with the language as the name.
    """
    return _first_code(calls_in_json(text))


def _first_code(calls: list[PrintedCall]) -> CodeBlock | None:
    meanings = (meaning_of(call) for call in calls)
    return next((CodeBlock(m.language, m.code) for m in meanings if isinstance(m, CodeCall)), None)
