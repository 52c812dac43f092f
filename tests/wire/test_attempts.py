"""What is tried again and what is not, for both clients: each try is an event, and no piece counts twice."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import closing

import pytest

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import (
    Interrupted,
    OllamaTimedOut,
    OllamaUnreachable,
    ReplyBroken,
    ServerBusy,
    ServerError,
    ServerFailed,
)
from super_agent.core.events import Event, ReplyDiscarded, Retried
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Reply, ReplyPiece
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.settings import Settings, load_settings
from tests.scripted_ollama import ScriptedOllama, refused_url
from tests.scripted_replies import HTML, Answer, Raw, Refuse, Say, Silence, too_long
from tests.wire.both import HELLO, KINDS, RecordingGate, converse, last

both = pytest.mark.parametrize("kind", KINDS)
LONG = "one two three four five six seven eight"


def tried(
    kind: ClientKind, settings: Settings, middleware: RecordingGate | None = None
) -> tuple[list[ReplyPiece | Reply], list[Event]]:
    events: list[Event] = []
    return converse(kind, settings, [HELLO], middleware=middleware, emit=events.append)[0], events


def retries(events: Sequence[Event]) -> list[tuple[int, int, float]]:
    return [(e.attempt, e.limit, e.wait_s) for e in events if isinstance(e, Retried)]


def text_of(items: Sequence[ReplyPiece | Reply]) -> str:
    return "".join(item.text for item in items if isinstance(item, ReplyPiece))


@both
@pytest.mark.parametrize(
    "fault",
    [
        Refuse(503, "server busy, please try again"),
        Refuse(502, "bad gateway"),
        Raw(b"", end="cut"),
        Say(LONG, end="cut", pieces_before_end=0),
        Say(LONG, end="failed", pieces_before_end=0),
        Say(LONG, end="error_object", pieces_before_end=0),
    ],
    ids=["503", "502", "cut before the headers", "cut after them", "runner died", "error object"],
)
def test_what_may_pass_is_sent_again_with_longer_waits(kind: ClientKind, fault: Answer) -> None:
    middleware = RecordingGate()
    with ScriptedOllama([fault, fault, LONG]) as server:
        items, events = tried(kind, server.settings(retry_wait_s=0.01), middleware)
        bodies = [request.body for request in server.chats]
    assert (last(items).text, text_of(items)) == (LONG, LONG)
    assert retries(events) == [(1, 4, 0.01), (2, 4, 0.02)]
    assert [e for e in events if isinstance(e, ReplyDiscarded)] == []
    assert bodies == [bodies[0]] * 3
    # The run's middleware sees one call.
    assert (len(middleware.before_calls), len(middleware.after_calls), len(middleware.ended_calls)) == (1, 1, 1)


@both
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Refuse(400, "no"), "RequestRejected"),
        (Refuse(401, "no"), "RequestRejected"),
        (Refuse(404, "no"), "ModelNotFound"),
        (Refuse(429, "slow down"), "ServerBusy"),
        (Refuse(500, "model requires more system memory"), "ServerFailed"),
        (too_long(9000, 8192), "PromptTooLong"),
        (HTML, "NotOllama"),
        (Raw(b"garbage"), "ReplyBroken"),
        (Silence(), "OllamaTimedOut"),
    ],
    ids=["400", "401", "404", "429", "500", "too long", "web page", "garbage", "first-token deadline"],
)
def test_what_will_not_pass_is_never_sent_again(kind: ClientKind, fault: Answer, expected: str) -> None:
    events: list[Event] = []
    with ScriptedOllama([fault, "no"]) as server, pytest.raises(ServerError) as caught:
        converse(kind, server.settings(first_token_timeout_s=0.3), [HELLO], emit=events.append)
    assert type(caught.value).__name__ == expected
    assert len(server.chats) == 1
    assert events == []


@both
def test_a_silence_in_mid_reply_is_not_sent_again(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say(LONG, end="silence"), "no"]) as server, pytest.raises(OllamaTimedOut):
        converse(kind, server.settings(between_tokens_timeout_s=0.2), [HELLO], emit=events.append)
    assert events == []


@both
@pytest.mark.parametrize("limit", [0, 1, 2])
def test_the_limit_is_the_settings(kind: ClientKind, limit: int) -> None:
    events: list[Event] = []
    with ScriptedOllama([Refuse(503, "busy")] * 9) as server, pytest.raises(ServerBusy):
        converse(kind, server.settings(retries=limit, retry_wait_s=0.01), [HELLO], emit=events.append)
    assert len(server.chats) == 1 + limit
    assert [e.attempt for e in events if isinstance(e, Retried)] == [*range(1, limit + 1)]


@both
def test_a_port_where_nothing_listens_is_tried_as_often_and_then_told(kind: ClientKind) -> None:
    events: list[Event] = []
    with refused_url() as url, pytest.raises(OllamaUnreachable):
        converse(
            kind,
            load_settings({"base_url": url, "retries": 3, "retry_wait_s": 0.01}, environ={}),
            [HELLO],
            emit=events.append,
        )
    assert [e.wait_s for e in events if isinstance(e, Retried)] == [0.01, 0.02, 0.04]
    assert all("Connection refused" in e.reason for e in events if isinstance(e, Retried))


@both
def test_a_name_without_an_address_is_not_tried_again(kind: ClientKind) -> None:
    events: list[Event] = []
    with pytest.raises(OllamaUnreachable):
        converse(
            kind, load_settings({"base_url": "http://no-such-host.invalid:1"}, environ={}), [HELLO], emit=events.append
        )
    assert events == []


@both
@pytest.mark.parametrize("how", ["cut", "failed", "error_object", "no_finish"])
def test_a_reply_that_breaks_off_is_discarded_aloud_and_begins_anew(kind: ClientKind, how: str) -> None:
    shown: list[str] = []
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, ReplyDiscarded):
            shown.append("|")

    broken = Say(LONG, end=how, pieces_before_end=3)  # type: ignore[arg-type]
    with ScriptedOllama([broken, LONG]) as server:
        settings = server.settings(retry_wait_s=0.01)
        if kind == "autogen":
            reply = asyncio.run(_shown(LLMClient(settings, CountingMiddleware(), 8192, emit=emit), shown))
        else:
            with closing(OllamaAdapter(settings, CountingMiddleware(), 8192, emit=emit)) as adapter:
                for item in adapter.stream(HELLO):
                    shown.append(item.text if isinstance(item, ReplyPiece) else "")
                    reply = item
    assert "".join(shown) == LONG[:12] + "|" + LONG
    assert isinstance(reply, Reply)
    assert reply.text == LONG
    assert [type(e) for e in events] == [ReplyDiscarded, Retried]


@both
def test_a_reply_that_breaks_off_twice_is_an_error(kind: ClientKind) -> None:
    events: list[Event] = []
    middleware = RecordingGate()
    with (
        ScriptedOllama([Say(LONG, end="cut"), Refuse(503, "busy"), Say(LONG, end="cut"), "no"]) as server,
        pytest.raises(ReplyBroken),
    ):
        converse(kind, server.settings(retry_wait_s=0.01), [HELLO], middleware=middleware, emit=events.append)
    assert [type(e) for e in events] == [ReplyDiscarded, Retried, Retried]
    assert middleware.after_calls == []
    assert middleware.ended_calls == middleware.before_calls
    [cut] = middleware.cut_replies
    assert (cut.client, cut.prompt_tokens) == (kind, middleware.before_calls[0].prompt_tokens)
    assert cut.completion_tokens > 0


@both
def test_without_tries_a_broken_reply_is_an_error_at_once(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say(LONG, end="error_object"), "no"]) as server, pytest.raises(ServerFailed):
        converse(kind, server.settings(retries=0), [HELLO], emit=events.append)
    assert events == []


@both
def test_a_server_that_is_started_again_some_time_later_gets_the_request(kind: ClientKind) -> None:
    with ScriptedOllama() as first:
        settings = first.settings(retry_wait_s=0.1)
    port = int(first.base_url.rsplit(":", 1)[1])
    later: list[ScriptedOllama] = []

    def start_again() -> None:
        later.append(ScriptedOllama(["here again"], port=port).__enter__())

    timer = threading.Timer(0.3, start_again)
    timer.start()
    try:
        items, events = tried(kind, settings)
    finally:
        timer.join()
        for server in later:
            server.stop()
    assert last(items).text == "here again"
    assert len(retries(events)) >= 1


def test_a_cancelled_task_does_not_wait_for_the_next_try() -> None:
    failed = threading.Event()
    middleware = RecordingGate()

    async def run(settings: Settings) -> None:
        client = LLMClient(settings, middleware, 8192, emit=lambda _event: failed.set())
        task = asyncio.create_task(_shown(client, []))
        await asyncio.to_thread(failed.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ScriptedOllama([Refuse(503, "busy"), "no"]) as server:
        started = time.monotonic()
        asyncio.run(run(server.settings(retry_wait_s=60)))
        assert time.monotonic() - started < 30
        assert len(server.chats) == 1
    assert middleware.ended_calls == middleware.before_calls


def test_cancel_ends_the_adapters_wait_for_the_next_try() -> None:
    with ScriptedOllama([Refuse(503, "busy"), "again"]) as server:
        adapter = OllamaAdapter(
            server.settings(retry_wait_s=60), CountingMiddleware(), 8192, emit=lambda _event: adapter.cancel()
        )
        with closing(adapter):
            with pytest.raises(Interrupted):
                list(adapter.stream(HELLO))
            assert last(list(adapter.stream(HELLO))).text == "again"


async def _shown(client: LLMClient, shown: list[str]) -> Reply | ReplyPiece | None:
    item = None
    try:
        async for item in client.stream(HELLO):
            shown.append(item.text if isinstance(item, ReplyPiece) else "")
    finally:
        await client.aclose()
    return item
