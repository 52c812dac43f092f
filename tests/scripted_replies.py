"""What the scripted Ollama can answer to a chat request, faults included, and how that looks in each API's bytes.

The shapes were taken from Ollama 0.32.15; a live test compares them with a real server.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from super_agent.core.model.chat import ToolCall

CREATED = 1_795_460_449
CREATED_AT = "2026-11-23T19:00:49.90415567Z"
PRECEDING_TOKENS = 3
MESSAGE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Say:
    """A reply of the model. Token counts not given are those of `count_tokens`; times are seconds.

    `end` is how it ends, after `pieces_before_end` pieces where it does not end "whole":
    "cut" drops the connection; "no_finish" ends the stream properly but without its last object; "failed" is what
    0.32.15 does when its runner dies (natively an error object; on `/v1` an empty piece, and then nothing);
    "error_object" sends an error object on either API; "silence" says nothing more and keeps the connection.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    load_s: float | None = None
    wait_s: float = 0.0
    pause_s: float = 0.0
    piece_chars: int = 4
    split_bytes: int | None = None
    end: Literal["whole", "cut", "no_finish", "failed", "error_object", "silence"] = "whole"
    pieces_before_end: int = 1
    error: str = "llama-server process has terminated"


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error status in the form of whichever API was asked."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Any bytes at all, on either API; `end="cut"` drops the connection before the announced end."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    wait_s: float = 0.0
    end: Literal["whole", "cut"] = "whole"
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Takes the request and never answers."""


Answer = str | Say | Refuse | Raw | Silence
Script = Sequence["Answer | Callable[[Any], Answer]"] | Callable[[Any], Answer]
"""Answers in their order, each also as a function of the recorded request; or one function for all requests."""

HTML = Raw(b"<!doctype html><html><body>It works!</body></html>", content_type="text/html")
HTML_404 = Raw(b"<html><body><h1>404 Not Found</h1></body></html>", 404, "text/html")


def too_long(prompt_tokens: int, context_length: int) -> Refuse:
    """The runner's refusal of a prompt, as Ollama hands it on: JSON inside a JSON string."""
    error = {
        "code": 400,
        "message": f"request ({prompt_tokens} tokens) exceeds the available context size ({context_length} tokens), "
        "try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": prompt_tokens,
        "n_ctx": context_length,
    }
    return Refuse(400, json.dumps({"error": error}))


def count_tokens(text: str) -> int:
    """The scripted model's tokenizer: words and signs, words in pieces of at most five letters."""
    return len(re.findall(r"\w{1,5}|[^\w\s]|\s\s+", text))


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a whole prompt."""
    return PRECEDING_TOKENS + sum(MESSAGE_TOKENS + count_tokens(m.get("content") or "") for m in messages)


def limited(say: Say, limit: int | None) -> Say:
    """The reply cut at the request's limit of tokens, as a model would be."""
    if limit is None or say.completion_tokens is not None or count_tokens(say.text) < limit:
        return say
    words = re.findall(r"\s*(?:\w{1,5}|[^\w\s])", say.text)[:limit]
    return Say(**{**_fields(say), "text": "".join(words), "finish": "length", "completion_tokens": limit})


def error_body(api: str, refuse: Refuse) -> bytes:
    """An error in the form of `/v1` or of the native API."""
    if api != "/v1":
        return json.dumps({"error": refuse.message}).encode()
    kind = {400: "invalid_request_error", 404: "not_found_error"}.get(refuse.status, "api_error")
    return (
        json.dumps({"error": {"message": refuse.message, "type": kind, "param": None, "code": None}}).encode() + b"\n"
    )


def pieces_of(say: Say) -> list[tuple[str, str]]:
    """Thoughts first, then text, each as ("reasoning" or "content", piece)."""
    size = say.piece_chars
    return [
        (kind, text[i : i + size])
        for kind, text in (("reasoning", say.reasoning), ("content", say.text))
        for i in range(0, len(text), size)
    ]


def completion_tokens(say: Say) -> int:
    """Tokens of a reply; the end mark is one more."""
    if say.completion_tokens is not None:
        return say.completion_tokens
    return count_tokens(say.text) + count_tokens(say.reasoning) + 1


def sse(say: Say, model: str, prompt: int, include_usage: bool) -> Iterator[bytes]:
    """A `/v1` stream, one event at a time."""
    pieces = [*pieces_of(say)] if say.end == "whole" else pieces_of(say)[: say.pieces_before_end]
    first = True
    for kind, text in pieces or ([("content", "")] if say.end == "whole" else []):
        delta = {"role": "assistant"} if first else {}
        delta |= {"content": text} if kind == "content" else {"content": "", "reasoning": text}
        first = False
        yield _event(_chunk(model, delta, None))
    if say.end == "failed":
        yield _event(_chunk("", {"content": ""}, None))
    if say.end == "error_object":
        yield _event({"error": {"message": say.error, "type": "api_error", "param": None, "code": None}})
    if say.end != "whole":
        return
    if say.tool_calls:
        yield _event(
            _chunk(model, {"content": "", "tool_calls": [_tool_call(i, c) for i, c in enumerate(say.tool_calls)]}, None)
        )
    yield _event(_chunk(model, {}, "tool_calls" if say.tool_calls else say.finish))
    if include_usage:
        yield _event(_chunk(model, None, None) | {"usage": _usage(say, prompt)})
    yield b"data: [DONE]\n\n"


def completion(say: Say, model: str, prompt: int) -> dict[str, Any]:
    """The `/v1` answer to a request without `stream`."""
    message: dict[str, Any] = {"role": "assistant", "content": say.text}
    if say.reasoning:
        message["reasoning"] = say.reasoning
    choice = {"index": 0, "message": message, "finish_reason": say.finish}
    return _chunk(model, None, None) | {"object": "chat.completion", "choices": [choice], "usage": _usage(say, prompt)}


def ndjson(say: Say, model: str, prompt: int, load_s: float) -> Iterator[bytes]:
    """A native stream, one line at a time."""
    pieces = pieces_of(say) if say.end == "whole" else pieces_of(say)[: say.pieces_before_end]
    for kind, text in pieces:
        message = {"content": text} if kind == "content" else {"content": "", "thinking": text}
        yield _line(_native(model, message) | {"done": False})
    if say.end in ("failed", "error_object"):
        yield _line({"error": say.error})
    if say.end == "whole":
        yield _line(native_end(say, model, prompt, load_s, ""))


def native_end(say: Say, model: str, prompt: int, load_s: float, text: str) -> dict[str, Any]:
    """The last object of a native stream; with the whole text, the answer to a request without `stream`."""
    count = completion_tokens(say)
    message: dict[str, Any] = {"content": text}
    if say.tool_calls:
        message["tool_calls"] = [
            {"id": c.id, "function": {"index": i, "name": c.name, "arguments": json.loads(c.arguments)}}
            for i, c in enumerate(say.tool_calls)
        ]
    load_ns = round(load_s * 1e9)
    return _native(model, message) | {
        "done": True,
        "done_reason": say.finish,
        "total_duration": load_ns + 13_856_000 + count * 10_000_000,
        "load_duration": load_ns,
        "prompt_eval_count": prompt,
        "prompt_eval_duration": 13_856_000,
        "eval_count": count,
        "eval_duration": count * 10_000_000,
    }


def _fields(say: Say) -> dict[str, Any]:
    return {name: getattr(say, name) for name in Say.__slots__}


def _chunk(model: str, delta: Mapping[str, Any] | None, finish: str | None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-92",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "system_fingerprint": "fp_ollama",
        "choices": choices,
    }


def _usage(say: Say, prompt: int) -> dict[str, int]:
    count = completion_tokens(say)
    return {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}


def _tool_call(index: int, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "index": index, "type": "function", "function": function}


def _native(model: str, message: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": model, "created_at": CREATED_AT, "message": {"role": "assistant", **message}}


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
