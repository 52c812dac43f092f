"""Ending a call from outside: within 0.1 s, with the connection closed, and the client usable again."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager

import pytest

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Reply
from super_agent.core.model.middleware import CountingMiddleware, RequestFacts, Usage
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Answer, Say, Silence
from tests.wire.both import HELLO, last

AT_ONCE_S = 0.1
"""The best of three tries: a busy machine may take a moment to run a thread."""
LONG = "word " * 2000
MOMENTS: list[tuple[str, Answer]] = [
    ("before the headers", Silence()),
    ("after the headers", Say(LONG, end="silence", pieces_before_end=0)),
    ("between two pieces", Say(LONG, end="silence", pieces_before_end=3)),
    ("while pieces come", Say(LONG, pause_s=0.005)),
]
at_each_moment = pytest.mark.parametrize("answer", [m[1] for m in MOMENTS], ids=[m[0] for m in MOMENTS])


@at_each_moment
def test_cancelling_the_task_closes_the_connection_at_once(answer: Answer) -> None:
    async def run(server: ScriptedOllama, client: LLMClient, number: int) -> float:
        task = asyncio.create_task(_drain(client))
        await asyncio.to_thread(server.wait_for_requests, number)
        await asyncio.sleep(0.05)
        cancelled_at = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended_s = time.monotonic() - cancelled_at
        request = server.requests[number - 1]
        assert await asyncio.to_thread(request.left.wait, 2)
        return max(ended_s, request.left_at - cancelled_at)

    async def best_of_three(server: ScriptedOllama) -> float:
        client = LLMClient(server.settings(), CountingMiddleware(), 8192)
        best_s = min([await run(server, client, number) for number in (1, 2, 3)])
        assert (await _drain(client)).text == "again"
        await client.aclose()
        return best_s

    with ScriptedOllama([answer] * 3 + ["again"]) as server:
        assert asyncio.run(best_of_three(server)) < AT_ONCE_S


def test_a_consumer_that_stops_early_closes_the_connection() -> None:
    async def run(server: ScriptedOllama) -> None:
        client = LLMClient(server.settings(), CountingMiddleware(), 8192)
        async with aclosing(client.stream(HELLO)) as items:  # type: ignore[type-var]
            async for _ in items:
                break
        assert await asyncio.to_thread(server.requests[0].left.wait, 2)
        await client.aclose()

    with ScriptedOllama([Say(LONG, end="silence", pieces_before_end=3)]) as server:
        asyncio.run(run(server))


def test_a_gate_that_blocks_does_not_block_the_loop_or_the_end_of_the_program() -> None:
    released = threading.Event()

    class Queue(CountingMiddleware):
        def before(self, request: RequestFacts) -> None:
            released.wait(30)

    async def run(server: ScriptedOllama) -> None:
        client = LLMClient(server.settings(), Queue(), 8192)
        task = asyncio.create_task(_drain(client))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()

    with ScriptedOllama() as server:
        started = time.monotonic()
        asyncio.run(run(server))
        assert time.monotonic() - started < 5
        released.set()
        assert server.requests == []


@at_each_moment
def test_cancel_from_another_thread_ends_the_adapters_call_at_once(answer: Answer) -> None:
    def run(number: int) -> float:
        with _call(adapter) as ended:
            server.wait_for_requests(number)
            time.sleep(0.05)
            cancelled_at = time.monotonic()
            adapter.cancel()
            error = ended()
        ended_s = time.monotonic() - cancelled_at
        assert isinstance(error, Interrupted)
        request = server.requests[number - 1]
        assert request.left.wait(2)
        return max(ended_s, request.left_at - cancelled_at)

    with ScriptedOllama([answer] * 3 + ["again"]) as server, closing(_adapter(server)) as adapter:
        assert min(run(number) for number in (1, 2, 3)) < AT_ONCE_S
        assert last(list(adapter.stream(HELLO))).text == "again"


def test_cancel_without_a_call_does_nothing() -> None:
    with ScriptedOllama(["a", "b"]) as server, closing(_adapter(server)) as adapter:
        adapter.cancel()
        assert last(list(adapter.stream(HELLO))).text == "a"
        adapter.cancel()
        assert last(list(adapter.stream(HELLO))).text == "b"


def test_a_cancel_just_before_the_call_is_not_lost() -> None:
    with ScriptedOllama(["a"]) as server, closing(_adapter(server)) as adapter:
        cancellation = Cancellation()
        cancellation.cancel()
        with pytest.raises(Interrupted):
            list(adapter.stream(HELLO, cancellation))
        assert server.requests == []


def test_a_cancel_while_the_gate_holds_the_call_sends_nothing() -> None:
    class Cancelling(CountingMiddleware):
        def before(self, request: RequestFacts) -> None:
            adapter.cancel()

    with ScriptedOllama(["a"]) as server:
        adapter = OllamaAdapter(server.settings(), Cancelling(), 8192)
        with pytest.raises(Interrupted):
            list(adapter.stream(HELLO))
        adapter.close()
        assert server.requests == []


def test_cancelling_at_any_moment_gives_interrupted_or_the_whole_reply() -> None:
    with (
        ScriptedOllama(lambda request: Say("word " * 40, piece_chars=5)) as server,
        closing(_adapter(server)) as adapter,
    ):
        for number in range(60):
            with _call(adapter) as ended:
                time.sleep(number / 8000)
                adapter.cancel()
                assert isinstance(ended(), Interrupted | Reply)
        assert last(list(adapter.stream(HELLO))).text == "word " * 40


def test_the_gate_does_not_count_a_cancelled_call() -> None:
    class Strict(CountingMiddleware):
        def after(self, usage: Usage) -> None:
            raise AssertionError(usage)

    with ScriptedOllama([Silence()]) as server:
        adapter = OllamaAdapter(server.settings(), Strict(), 8192)
        with _call(adapter) as ended:
            server.wait_for_requests(1)
            adapter.cancel()
            assert isinstance(ended(), Interrupted)
        adapter.close()


def _adapter(server: ScriptedOllama) -> OllamaAdapter:
    return OllamaAdapter(server.settings(), CountingMiddleware(), 8192)


async def _drain(client: LLMClient) -> Reply:
    return last([item async for item in client.stream(HELLO)])


@contextmanager
def _call(adapter: OllamaAdapter) -> Iterator[Callable[[], Reply | Exception]]:
    """A call in a thread of its own; the function waits for what came of it."""
    outcome: list[Reply | Exception] = []

    def run() -> None:
        try:
            outcome.append(last(list(adapter.stream(HELLO))))
        except Exception as error:  # noqa: BLE001 - handed to the test
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> Reply | Exception:
        thread.join(5)
        return outcome[0]

    yield ended
    thread.join(5)
