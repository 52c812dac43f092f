"""Replies read from bytes: however they are cut, the same reply."""

import asyncio
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.native_stream import NativeStream
from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import ReplyBroken, ServerError
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply, ReplyPiece, ToolCall
from super_agent.core.model.completions import CompletionStream
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.http import MAX_LINE_BYTES, LineReader
from super_agent.core.settings import Settings
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say, ndjson, sse
from tests.wire.both import HELLO, KINDS, ask, converse

both = pytest.mark.parametrize("kind", KINDS)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
replies = st.builds(Say, texts, texts, piece_chars=st.integers(1, 9), finish=st.sampled_from(["stop", "length"]))
MIXED = "naïve → 編 🎉 line\r\nend\u2028\n\ndata: [DONE]\n{}"


def wire_bytes(kind: ClientKind, say: Say) -> bytes:
    """A whole answer as the server would send it."""
    return b"".join(sse(say, "m", 30, True) if kind == "autogen" else ndjson(say, "m", 30, 0.002))


def read(kind: ClientKind, chunks: list[bytes]) -> tuple[list[ReplyPiece], Reply]:
    """What a client's reader makes of these chunks."""
    stream = CompletionStream("http://x") if kind == "autogen" else NativeStream("http://x")
    pieces = [piece for chunk in chunks for piece in stream.feed(chunk)]
    return pieces, stream.end(1.0)


@both
@given(say=replies, data=st.data())
def test_the_same_bytes_give_the_same_reply_however_they_are_cut(
    kind: ClientKind, say: Say, data: st.DataObject
) -> None:
    whole = wire_bytes(kind, say)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=40)))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    pieces, reply = read(kind, chunks)
    assert (pieces, reply) == read(kind, [whole])
    assert (reply.text, reply.reasoning, reply.finish_reason) == (say.text, say.reasoning, say.finish)
    assert "".join(p.text for p in pieces if not p.reasoning) == say.text
    assert "".join(p.text for p in pieces if p.reasoning) == say.reasoning


@both
@given(say=replies, length=st.floats(0, 1, exclude_max=True))
def test_a_stream_without_its_end_is_never_taken_for_a_reply(kind: ClientKind, say: Say, length: float) -> None:
    whole = wire_bytes(kind, say).rstrip(b"\n")
    with pytest.raises(ReplyBroken):
        read(kind, [whole[: int(len(whole) * length)]])


@both
@given(data=st.binary(max_size=300))
def test_any_bytes_at_all_give_one_of_our_errors(kind: ClientKind, data: bytes) -> None:
    with pytest.raises(ServerError):
        read(kind, [data])


@both
@pytest.mark.parametrize("split", [1, 2, 3, 7, 1000])
def test_multi_byte_characters_may_be_split_anywhere_on_the_wire(kind: ClientKind, split: int) -> None:
    with ScriptedOllama([Say(MIXED, reasoning="思考", split_bytes=split)]) as server:
        reply = ask(kind, server.settings())
    assert (reply.text, reply.reasoning) == (MIXED, "思考")


@both
def test_thoughts_are_kept_apart_from_the_text(kind: ClientKind) -> None:
    with ScriptedOllama([Say("text", reasoning="thought")]) as server:
        [items] = converse(kind, server.settings(), [HELLO])
    assert items[:-1] == [ReplyPiece("thou", True), ReplyPiece("ght", True), ReplyPiece("text")]
    assert isinstance(items[-1], Reply)
    assert (items[-1].text, items[-1].reasoning) == ("text", "thought")


@both
def test_pieces_arrive_while_the_model_still_writes(kind: ClientKind) -> None:
    with ScriptedOllama([Say("one two three", end="silence", pieces_before_end=2)]) as server:
        settings = server.settings(between_tokens_timeout_s=0.1)
        seen = _pieces_until_failure(kind, settings)
    assert seen == ["one ", "two "]


@both
def test_a_reply_cut_by_the_limit_says_so(kind: ClientKind) -> None:
    with ScriptedOllama(["one two three four five six " * 10]) as server:
        reply = ask(kind, server.settings(max_reply_tokens=16))
    assert (reply.finish_reason, reply.completion_tokens) == ("length", 16)


@both
def test_an_empty_reply_is_a_reply(kind: ClientKind) -> None:
    with ScriptedOllama([""]) as server:
        assert ask(kind, server.settings()).text == ""


def test_native_durations_are_seconds() -> None:
    _, reply = read("open-interpreter", [wire_bytes("open-interpreter", Say("x"))])
    assert (reply.load_s, reply.prompt_s) == (0.002, 0.013856)


def test_comments_and_other_fields_of_server_sent_events_are_passed_over() -> None:
    _, reply = read("autogen", [b": ping\n\nevent: message\nid: 1\nretry: 5\n", wire_bytes("autogen", Say("x"))])
    assert reply.text == "x"


NULLS: dict[ClientKind, list[dict[str, object]]] = {
    "open-interpreter": [
        {"message": {"content": None, "tool_calls": [{"function": None}]}, "error": None},
        {"message": None, "done": True, "done_reason": "stop", "eval_count": None, "load_duration": None},
    ],
    "autogen": [
        {"choices": [{"delta": {"content": None, "tool_calls": [{"function": None}]}}], "error": None},
        {"choices": [{"delta": None, "finish_reason": "stop"}]},
        {"choices": None, "usage": {"prompt_tokens": 30, "completion_tokens": 2}},
    ],
}


@both
def test_a_null_says_no_more_than_a_field_that_is_not_there(kind: ClientKind) -> None:
    first = wire_bytes(kind, Say("hell")).splitlines(keepends=True)[0]
    lines = [json.dumps(each).encode() + b"\n" for each in NULLS[kind]]
    if kind == "autogen":
        lines = [*(b"data: " + line for line in lines), b"data: [DONE]\n"]
    _, reply = read(kind, [first, *lines])
    assert (reply.text, reply.finish_reason, len(reply.tool_calls)) == ("hell", "stop", 1)


def test_tool_calls_come_whole_or_in_pieces() -> None:
    calls = (ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "sub", "{}"))
    assert read("autogen", [wire_bytes("autogen", Say(tool_calls=calls))])[1].tool_calls == calls
    parts = ({"id": "c1", "function": {"name": "add", "arguments": '{"a'}}, {"function": {"arguments": '": 1}'}})
    lines = [
        *(b"data: %s\n" % json.dumps({"choices": [{"delta": {"tool_calls": [part]}}]}).encode() for part in parts),
        b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n',
        b"data: [DONE]\n",
    ]
    reply = read("autogen", lines)[1]
    assert (reply.finish_reason, reply.tool_calls) == ("tool_calls", calls[:1])


def test_tool_calls_reach_the_caller_of_the_client() -> None:
    async def run() -> Reply:
        client = LLMClient(server.settings(), CountingMiddleware(), 8192)
        items = [item async for item in client.stream([Message("user", "x")], tools=[{"name": "add"}])]
        await client.aclose()
        assert isinstance(items[-1], Reply)
        return items[-1]

    call = ToolCall("c1", "add", '{"a": 1}')
    with ScriptedOllama([Say(tool_calls=(call,))]) as server:
        server.catalogue.models["scripted:latest"] = Model(
            "scripted:latest", 8192, capabilities=("completion", "tools")
        )
        assert asyncio.run(run()).tool_calls == (call,)


def test_a_line_longer_than_any_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        LineReader().feed(b"x" * (MAX_LINE_BYTES + 1))


def _pieces_until_failure(kind: ClientKind, settings: Settings) -> list[str]:
    seen: list[str] = []

    async def run() -> None:
        client = LLMClient(settings, CountingMiddleware(), 8192)
        with suppress(ServerError):
            async for item in client.stream(HELLO):
                assert isinstance(item, ReplyPiece)
                seen.append(item.text)
        await client.aclose()

    if kind == "autogen":
        asyncio.run(run())
        return seen
    adapter = OllamaAdapter(settings, CountingMiddleware(), 8192)
    with suppress(ServerError):
        for item in adapter.stream(HELLO):
            assert isinstance(item, ReplyPiece)
            seen.append(item.text)
    adapter.close()
    return seen
