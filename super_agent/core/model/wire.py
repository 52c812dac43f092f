"""What both clients share on the wire: the request's messages, lines out of bytes, a reply as it grows."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from super_agent.core.model.chat import Message, Reply, ReplyPiece, ToolCall
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.http import LineReader
from super_agent.core.replies.thoughts import split_thoughts

FinishReason = Literal["stop", "length", "tool_calls"]
FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}
"""Ollama's other reasons, `load` and `unload`, answer requests without messages: no client here sends one."""


def messages_out(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """A conversation, oldest first; `content` is never null. Tool calls are in the form of `/v1`."""
    return [_message_out(message) for message in messages]


@dataclass(slots=True)
class GrowingReply:
    """A reply as far as it has arrived, on either API."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict)

    def take(self, reasoning: str | None, text: str | None) -> list[ReplyPiece]:
        """Append what came; returns what there is to show, thoughts first."""
        pieces: list[ReplyPiece] = []
        if reasoning:
            self.reasoning.append(reasoning)
            pieces.append(ReplyPiece(reasoning, reasoning=True))
        if text:
            self.text.append(text)
            pieces.append(ReplyPiece(text))
        return pieces

    def whole(self, finish_reason: FinishReason, prompt_tokens: int, completion_tokens: int, wall_s: float) -> Reply:
        """The reply, once its end has come; thoughts that a model wrote into its text are taken out of it."""
        text, thoughts = split_thoughts("".join(self.text))
        return Reply(
            text=text,
            reasoning="\n".join(t for t in ("".join(self.reasoning), thoughts) if t),
            finish_reason=finish_reason,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            wall_s=wall_s,
            tool_calls=tuple(self.tool_calls[i] for i in sorted(self.tool_calls)),
        )


@dataclass(slots=True)
class ReplyStream(ABC):
    """Reads the lines that answer a call, however their bytes are cut; every fault in them is one of our errors."""

    base_url: str
    _lines: LineReader = field(default_factory=LineReader)
    _reply: GrowingReply = field(default_factory=GrowingReply)

    def feed(self, data: bytes) -> list[ReplyPiece]:
        """What these bytes show; raises `ReplyBroken`, `ServerFailed` or `PromptTooLong`."""
        try:
            lines = self._lines.feed(data)
        except ValueError as error:
            raise http_errors.broken(self.base_url, str(error)) from error
        return [piece for line in lines for piece in self._take(line)]

    @abstractmethod
    def _take(self, line: bytes) -> list[ReplyPiece]:
        """What one line shows; an empty line shows nothing."""


def _message_out(message: Message) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        out["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.tool_calls
        ]
    if message.tool_call_id:
        out["tool_call_id"] = message.tool_call_id
    return out
