"""A scripted reply in the form of either API, whole or in pieces about as large as tokens."""

import json
import re
from collections.abc import Iterator
from typing import Any

from benchmarks.compare.upstream import TokenCounts

_PIECE = re.compile(r"\s*\w{1,6}|\s*[^\w\s]{1,3}|\s+")
TIME = "2026-01-01T00:00:00Z"
CREATED = 1767225600


def pieces(reply: str) -> list[str]:
    """The reply as a model streams it."""
    return _PIECE.findall(reply)


def whole(path: str, request: dict[str, Any], reply: str, counts: TokenCounts) -> bytes:
    """The answer to a request without streaming."""
    if path == "/api/chat":
        body = {"model": request["model"], "created_at": TIME, "message": {"role": "assistant", "content": reply}}
        return json.dumps(body | _native_end(counts)).encode()
    choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
    return json.dumps(_head(request, "chat.completion") | {"choices": [choice], "usage": _usage(counts)}).encode()


def stream(path: str, request: dict[str, Any], reply: str, counts: TokenCounts) -> Iterator[bytes]:
    """The lines or events of a streamed answer."""
    yield from (_native if path == "/api/chat" else _events)(request, reply, counts)


def _native(request: dict[str, Any], reply: str, counts: TokenCounts) -> Iterator[bytes]:
    head = {"model": request["model"], "created_at": TIME}
    for piece in pieces(reply):
        line = head | {"message": {"role": "assistant", "content": piece}, "done": False}
        yield json.dumps(line).encode() + b"\n"
    end = head | {"message": {"role": "assistant", "content": ""}} | _native_end(counts)
    yield json.dumps(end).encode() + b"\n"


def _native_end(counts: TokenCounts) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": counts.load_duration + counts.prompt_eval_duration + counts.reply_duration,
        "load_duration": counts.load_duration,
        "prompt_eval_count": counts.prompt_tokens,
        "prompt_eval_duration": counts.prompt_eval_duration,
        "eval_count": counts.reply_tokens,
        "eval_duration": counts.reply_duration,
    }


def _events(request: dict[str, Any], reply: str, counts: TokenCounts) -> Iterator[bytes]:
    head = _head(request, "chat.completion.chunk")

    def event(**more: Any) -> bytes:
        return b"data: " + json.dumps(head | more).encode() + b"\n\n"

    for piece in pieces(reply):
        delta = {"role": "assistant", "content": piece}
        yield event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    yield event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}])
    if (request.get("stream_options") or {}).get("include_usage"):
        yield event(choices=[], usage=_usage(counts))
    yield b"data: [DONE]\n\n"


def _head(request: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": CREATED, "model": request["model"]}


def _usage(counts: TokenCounts) -> dict[str, int]:
    total = counts.prompt_tokens + counts.reply_tokens
    return {"prompt_tokens": counts.prompt_tokens, "completion_tokens": counts.reply_tokens, "total_tokens": total}
