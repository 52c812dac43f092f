"""Calls of tools beside code: how the executor sees them, and how a reply that holds one is read.

A model without native tools writes a block of JSON; one that was trained on them prints its own dressing of a call.
"""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from interpreter.approval import Approver
from interpreter.code_blocks import CodeBlock, choose_block, reply_fences
from interpreter.sandbox.protocol import Runner
from super_agent.core.replies.tool_calls import printed_calls
from super_agent.core.text import joined, lines_of

_HEADINGS = ("tool", "tool_call", "mcp")


class ToolBox(Runner, Protocol):
    """Tools outside the sandbox, as a runner of calls: the code of one is `{"tool": name, "arguments": {…}}`."""

    def describe(self, max_chars: int) -> str:
        """For the head of a conversation: which there are and how one is called; empty without any."""

    def names(self) -> tuple[str, ...]:
        """Of all tools."""

    def known(self, name: str) -> str:
        """The tool's own name for one that a model wrote, or nothing."""


@dataclass(frozen=True, slots=True)
class ToolAccess:
    """Tools, and who decides about each call."""

    box: ToolBox
    approver: Approver


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call, and what the reply says beside it."""

    block: CodeBlock
    rest: str


def find_call(text: str, box: ToolBox) -> FoundCall | None:
    """The call of a whole reply, unless code that runs stands before it.

    A block headed as a call is one even where it is malformed: the model is told what is wrong with it.
    """
    lines = lines_of(text)
    for fence in reply_fences(text):
        if not fence.closed or fence.info.lower() not in (*_HEADINGS, "json", ""):
            continue
        name, arguments = _read(fence.text)
        if fence.info.lower() not in _HEADINGS and not box.known(name):
            continue
        before, after = lines[: fence.line - 1], lines[fence.line + len(fence.lines) + 1 :]
        if choose_block(joined(before), "stop").block is not None:
            return None
        code = call_text(box.known(name) or name, arguments) if name else fence.text.strip()
        return FoundCall(CodeBlock("tool", code), joined([*before, "", *after]))
    for call in printed_calls(text):
        if name := box.known(call.name):
            return FoundCall(CodeBlock("tool", call_text(name, dict(call.arguments))), "")
    return None


def call_text(name: str, arguments: Any) -> str:
    """A call as it is shown to a person and kept."""
    return json.dumps({"tool": name, "arguments": arguments}, ensure_ascii=False)


def _read(body: str) -> tuple[str, Any]:
    """Name and arguments of a call by the keys that models use; no name where it is none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(data, dict):
        return "", {}
    name = next((data[key] for key in ("tool", "name") if isinstance(data.get(key), str)), "")
    arguments: Any = next((data[key] for key in ("arguments", "parameters", "args", "input") if key in data), {})
    return name, arguments
