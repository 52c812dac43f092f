"""What a terminal shows as code: the commands behind its prompts, each with all of its lines; the rest is output."""

import re
from collections.abc import Sequence

from interpreter.open_command import OpenCommand

_USER = r"[\w.-]+@[\w.-]+"
_PROMPT = re.compile(
    r"^\s*(?:\([\w.-]+\)\s*)?(?:"
    rf"(?:\[{_USER}[^\]\n]{{0,60}}\]|{_USER}[:\s][^$#%\n]{{0,60}}|{_USER}|(?:ba|z)?sh-[\d.]+)[$#%]"
    r"|(?:~(?:/[\w./-]{0,60})?\s?|/[\w./-]{1,60})?\$|%|❯|/ \#|➜ +\S+(?: +git:\([^)\n]*\))?(?: +✗)?) "
)
"""Of bash, zsh and a container's sh, with or without user, host, folder and environment.

Root's bare `# ` is not among them, as it may as well be a comment.
"""
_ROOT = re.compile(
    r"^# (?=[a-z./~_]|[A-Z]\w*=)(?!.*\w[:!?]$|.*[a-z]{3}\.$)"
    r"(?!.*\b(?:the|this|that|it|you|your|and|to|of|uma?|os|as|da|de|para)\b)"
)
"""Root's, before what may be a command: a sentence is a comment, and so is then what stands below it."""


def without_prompts(code: str, *, session: bool) -> str:
    """The commands of a shell's transcript; code without a prompt as it is.

    In a `session`, which shows what a terminal did, `# ` is root's prompt where every line is typed behind one and
    none is a sentence: a block of comments alone does nothing.
    """
    lines = code.split("\n")
    begin = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if first := _PROMPT.match(begin):
        return "\n".join(_typed(lines, _PROMPT, _sign(first[0]))[0])
    if session and _ROOT.match(lines[0]):
        typed, shown = _typed(lines, _ROOT, "#")
        return code if shown else "\n".join(typed)
    return code


def without_python_prompts(code: str) -> str:
    """`>>> f()` as in a session: keep what was typed; the rest is output."""
    lines = code.split("\n")
    if not next((line for line in lines if line.strip()), "").startswith(">>> "):
        return code
    return "\n".join(line[4:] for line in lines if line.startswith((">>>", "... ")) or line == "...")


def _typed(lines: Sequence[str], prompt: re.Pattern[str], sign: str) -> tuple[list[str], bool]:
    """The lines that were typed behind prompts with this sign, and whether there are others that say something."""
    kept: list[str] = []
    shown = False
    number = 0
    found = [prompt.match(line) for line in lines]
    prompts = [line[m.end() :] if m and _sign(m[0]) == sign else None for line, m in zip(lines, found, strict=True)]
    while number < len(lines):
        first = prompts[number]
        number += 1
        if first is None:
            shown = shown or bool(lines[number - 1].strip())
            continue
        more = _rest_of(first, lines[number:], prompts[number:])
        kept += [first, *more]
        number += len(more)
    return kept, shown


def _sign(prompt: str) -> str:
    """What ends a prompt; output may hold another one."""
    return "➜" if "➜" in prompt else prompt.rstrip()[-1]


def _rest_of(first: str, lines: Sequence[str], prompts: Sequence[str | None]) -> list[str]:
    """The further lines of a command that does not end on its first; none where it never ends."""
    for continued in (True, False):
        command = OpenCommand(first)
        more: list[str] = []
        for line, next_command in zip(lines, prompts, strict=True):
            if not command.goes_on or (continued and not line.startswith(">")):
                break
            if next_command is not None and not command.in_heredoc:
                break
            more.append(line[1:].removeprefix(" ") if continued else line)
            command.feed(more[-1])
        if not command.goes_on:
            return more
    return []
