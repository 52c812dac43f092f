"""The bytes of `/v1/chat/completions`: the request's body and the event stream that answers it. No network here.

The request type has no field for a runner option, and refuses unknown ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from super_agent.core.model.chat import Reply, ReplyPiece, ToolCall
from super_agent.core.model.wire import FINISH_REASONS, FinishReason, ReplyStream
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.http import encoded
from super_agent.core.ollama.responses import NullsLeftOut

PATH = "/v1/chat/completions"
SSE_FIELDS = (b"event:", b"id:", b"retry:", b":")


class CompletionRequest(BaseModel):
    """All that is ever sent. `/v1` would take no more: num_ctx, options and keep_alive are ignored there in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    messages: list[dict[str, Any]]
    stream: Literal[True] = True
    stream_options: dict[Literal["include_usage"], Literal[True]] = {"include_usage": True}
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None = None
    stop: list[str] | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None

    def body(self) -> bytes:
        """As JSON, without what is not set."""
        return encoded({name: value for name, value in self if value is not None})


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A reply constrained to a JSON schema."""
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(schema)}}


def tools_out(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tools from their schemas (name, description, parameters)."""
    return [{"type": "function", "function": dict(tool)} for tool in tools]


class _FunctionDelta(NullsLeftOut):
    name: str | None = None
    arguments: str | None = None


class _CallDelta(NullsLeftOut):
    index: int = 0
    id: str | None = None
    function: _FunctionDelta = _FunctionDelta()


class _Delta(NullsLeftOut):
    content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_CallDelta] | None = None


class _Choice(NullsLeftOut):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Chunk(NullsLeftOut):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    error: Any = None


@dataclass(slots=True)
class CompletionStream(ReplyStream):
    """The event stream."""

    _finish_reason: FinishReason | None = None
    _usage: _Usage | None = None
    _done: bool = False

    def end(self, wall_s: float) -> Reply:
        """The whole reply, when the bytes are over; raises `ReplyBroken` where its end did not come."""
        self._take(self._lines.end())
        if self._finish_reason is None or not self._done:
            raise http_errors.broken(self.base_url, "the stream ended before the reply did", transient=True)
        if self._usage is None:
            raise http_errors.broken(self.base_url, "it holds no token counts")
        return self._reply.whole(self._finish_reason, self._usage.prompt_tokens, self._usage.completion_tokens, wall_s)

    def _take(self, line: bytes) -> list[ReplyPiece]:
        if not line.strip() or line.startswith(SSE_FIELDS):
            return []
        payload = line.removeprefix(b"data:").strip()
        if payload == b"[DONE]":
            self._done = True
            return []
        try:
            chunk = _Chunk.model_validate_json(payload)
        except ValidationError as error:
            raise http_errors.broken(self.base_url, f"no event of this API: {payload[:60]!r}") from error
        if chunk.error is not None:
            raise http_errors.from_object(self.base_url, chunk.error)
        self._usage = chunk.usage or self._usage
        return [piece for choice in chunk.choices for piece in self._take_choice(choice)]

    def _take_choice(self, choice: _Choice) -> list[ReplyPiece]:
        if choice.finish_reason:
            if choice.finish_reason not in FINISH_REASONS:
                raise http_errors.broken(self.base_url, f"unknown finish reason {choice.finish_reason!r}")
            self._finish_reason = FINISH_REASONS[choice.finish_reason]
        for call in choice.delta.tool_calls or ():
            self._take_call(call)
        return self._reply.take(choice.delta.reasoning, choice.delta.content)

    def _take_call(self, call: _CallDelta) -> None:
        """A tool call may come in pieces, told apart by their index."""
        before = self._reply.tool_calls.get(call.index, ToolCall("", "", ""))
        self._reply.tool_calls[call.index] = ToolCall(
            id=call.id or before.id,
            name=call.function.name or before.name,
            arguments=before.arguments + (call.function.arguments or ""),
        )
