"""What both clients share on the wire: the request's messages, lines out of bytes, a reply as it grows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from super_agent.core.model.chat import Message, Reply, ReplyPiece, ToolCall
from super_agent.core.replies.thoughts import split_thoughts
from super_agent.core.settings import Settings

FinishReason = Literal["stop", "length", "tool_calls"]
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A line longer than any reply could be is not a reply."""
FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}
"""Ollama's other reasons, `load` and `unload`, answer requests without messages: no client here sends one."""


def authorization(settings: Settings) -> dict[str, str]:
    """The header a server behind a key asks for."""
    return {} if settings.api_key is None else {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}


def messages_out(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """A conversation, oldest first; `content` is never null. Tool calls are in the form of `/v1`."""
    return [_message_out(message) for message in messages]


def encoded(body: object) -> bytes:
    """A request body. A lone surrogate, which UTF-8 cannot hold, becomes `?` instead of an error."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(slots=True)
class LineReader:
    """Splits a byte stream into lines, however it is cut; a multi-byte character is never torn."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends; raises ValueError for a line over 16 MiB."""
        # Appended in place: adding each piece of a long line to a new string would cost its length squared.
        self._rest += data
        lines: list[bytes] = []
        if b"\n" in data:
            *whole, last = bytes(self._rest).split(b"\n")
            lines, self._rest = [line.rstrip(b"\r") for line in whole], bytearray(last)
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {MAX_LINE_BYTES} bytes")
        return lines

    def end(self) -> bytes:
        """What came after the last line end."""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest


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
