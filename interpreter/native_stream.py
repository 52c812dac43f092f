"""The bytes of `/api/chat`: the request's body and the NDJSON stream that answers it. No network here.

The request type has no field for a runner option or keep_alive, and refuses unknown ones.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from super_agent.core.model.chat import Reply, ReplyPiece, ToolCall
from super_agent.core.model.wire import FINISH_REASONS, ReplyStream
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.http import encoded
from super_agent.core.ollama.responses import NullsLeftOut

PATH = "/api/chat"
NANOSECONDS = 1e9


class SamplingOptions(BaseModel):
    """The only options ever sent: none of them makes Ollama load the model again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float
    top_p: float
    num_predict: int
    seed: int | None = None


class ChatRequest(BaseModel):
    """All that is ever sent. `truncate: false` makes an over-long prompt an error instead of a silent cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    messages: list[dict[str, Any]]
    stream: Literal[True] = True
    truncate: Literal[False] = False
    options: SamplingOptions

    def body(self) -> bytes:
        """As JSON."""
        options = {name: value for name, value in self.options if value is not None}
        return encoded(dict(self) | {"options": options})


class _Function(NullsLeftOut):
    name: str = ""
    arguments: Any = None


class _Call(NullsLeftOut):
    function: _Function = _Function()


class _Message(NullsLeftOut):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(NullsLeftOut):
    message: _Message = _Message()
    done: bool = False
    done_reason: str | None = None
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    error: Any = None


@dataclass(slots=True)
class NativeStream(ReplyStream):
    """The NDJSON stream."""

    _last: _Line | None = None

    def end(self, wall_s: float) -> Reply:
        """The whole reply, when the bytes are over; raises `ReplyBroken` where its end did not come."""
        self._take(self._lines.end())
        last = self._last
        if last is None:
            raise http_errors.broken(self.base_url, "the stream ended before the reply did", transient=True)
        # Without a reason the runner went away in mid-reply; `load` and `unload` answer requests without messages.
        if last.done_reason not in FINISH_REASONS:
            what = f"done, but for no reason of a reply: {last.done_reason!r}"
            raise http_errors.broken(self.base_url, what, transient=not last.done_reason)
        reply = self._reply.whole(FINISH_REASONS[last.done_reason], last.prompt_eval_count, last.eval_count, wall_s)
        return replace(
            reply,
            load_s=last.load_duration / NANOSECONDS,
            prompt_s=last.prompt_eval_duration / NANOSECONDS,
            reply_s=last.eval_duration / NANOSECONDS,
        )

    def _take(self, data: bytes) -> list[ReplyPiece]:
        if not data.strip():
            return []
        try:
            line = _Line.model_validate_json(data)
        except ValidationError as error:
            raise http_errors.broken(self.base_url, f"no line of this API: {data[:60]!r}") from error
        if line.error is not None:
            raise http_errors.from_object(self.base_url, line.error)
        if line.done:
            self._last = line
        for call in line.message.tool_calls or ():
            given = call.function.arguments
            text = given if isinstance(given, str) else json.dumps(given)
            number = len(self._reply.tool_calls)
            self._reply.tool_calls[number] = ToolCall(f"call_{number}", call.function.name, text)
        return self._reply.take(line.message.thinking, line.message.content)
