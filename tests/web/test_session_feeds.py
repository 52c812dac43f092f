"""A long turn: what the server holds of it is bounded, and a page that comes late or again is told all of it once."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from super_agent.core import events as ev
from super_agent.core.store import recorder as recording
from super_agent.core.store.recorder import Recorder
from super_agent.core.store.store import Store
from super_agent.session.control_socket import ControlSocket
from super_agent.web import unstored_events as recents
from super_agent.web.server_context import ServerContext
from super_agent.web.server_sent_events import session_stream
from super_agent.web.session_feeds import Feeds
from super_agent.web.unstored_events import UnstoredEvents

STARTED = ev.RunStarted("do it", "team", "/w", "m", "http://h", None, "bubblewrap", {})
PIECE = "some words "
MOST_PENDING, MOST_PENDING_CHARS, REPLIES = 50, 4096, 400
"""Fewer than in earnest, so that a long turn is soon there."""


@dataclass
class Run:
    store: Store
    feeds: Feeds
    stream: ev.EventStream
    recorder: Recorder

    @property
    def recent(self) -> UnstoredEvents:
        return self.feeds._feeds["s1"][0].recent

    async def heard(self) -> None:
        """Until the server has read all that was told."""
        feed, _ = self.feeds._feeds["s1"]
        while feed.seq < self.stream.seq or any(follower.queue.qsize() for follower in feed.followers):
            await asyncio.sleep(0.002)

    @property
    def context(self) -> ServerContext:
        return cast(ServerContext, SimpleNamespace(store=self.store, feeds=self.feeds, language="en"))

    def say(self, pieces: int, reply: int) -> None:
        """A reply in pieces, each of which tells which it is."""
        for number in range(pieces):
            self.stream.emit(ev.TextStreamed("coder", f"{reply}.{number} "))
        self.stream.emit(ev.MessagePosted("coder", f"reply {reply} ends"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """One whose turn has begun; the store is another's than the server's, as it is in another process."""
    for module in (recording, recents):
        monkeypatch.setattr(module, "MOST_PENDING", MOST_PENDING)
        monkeypatch.setattr(module, "MOST_PENDING_CHARS", MOST_PENDING_CHARS)
    state = tmp_path / "state"
    with Store.open(state) as store, Store.open(state) as own, own.begin("s1", STARTED) as recorder:
        stream = ev.EventStream("s1", (recorder,))
        control = ControlSocket(state / "sessions" / "s1", stream, recorder, lambda: None)
        control.open()
        stream.sinks = (*stream.sinks, control)
        stream.emit(STARTED)
        stream.emit(ev.TurnStarted(1))
        yield Run(store, Feeds(store, state / "sessions"), stream, recorder)
        control.close()


async def told_until(run: Run, last: str, after: int = 0) -> list[dict[str, Any]]:
    """What a page is told, up to a text that holds `last`."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        async for text in session_stream(run.context, "s1", after, 0):
            for message in text.split("\n\n"):
                lines = dict(line.partition(": ")[::2] for line in message.splitlines())
                if "data" in lines:
                    found.append({**json.loads(lines["data"]), "kind": lines["event"]})
            if last in text:
                return found
    raise AssertionError("the stream ended")


def test_a_run_stores_a_long_turn_in_parts_and_each_text_once(run: Run) -> None:
    for number in range(3 * MOST_PENDING):
        run.stream.emit(ev.MessagePosted("coder", f"m{number}"))
    for _ in range(2 * MOST_PENDING_CHARS // len(PIECE)):
        run.stream.emit(ev.TextStreamed("coder", PIECE))
    stored, kept = [*run.store.events("s1")], run.recorder.unstored()
    assert len(kept) < MOST_PENDING
    events = [stamped.event for stamped in stored + kept]
    texts = "".join(event.text for event in events if isinstance(event, ev.TextStreamed))
    assert texts == PIECE * (2 * MOST_PENDING_CHARS // len(PIECE))
    assert sum(isinstance(event, ev.MessagePosted) for event in events) == 3 * MOST_PENDING
    assert [s.seq for s in stored + kept] == sorted({s.seq for s in stored + kept})


def test_what_is_held_of_a_long_turn_is_bounded_and_a_late_page_is_told_all_of_it_once(run: Run) -> None:
    async def scene() -> tuple[list[dict[str, Any]], int, int]:
        watching = asyncio.create_task(told_until(run, f"reply {REPLIES - 1} ends"))
        await asyncio.sleep(0.5)
        for reply in range(REPLIES):
            run.say(9, reply)
            if reply % 9 == 0:
                await run.heard()
        early = await watching
        assert [m["html"] for m in early if m["kind"] == "part"][-1].endswith(f"reply {REPLIES - 1} ends</pre>")
        keeping = asyncio.create_task(told_until(run, "never"))
        await asyncio.sleep(0.5)
        await run.heard()
        held = len(run.recent.events)
        await asyncio.to_thread(run.say, 5, REPLIES)
        late = await told_until(run, f"reply {REPLIES} ends")
        keeping.cancel()
        return late, held, len(early)

    late, held, _ = asyncio.run(scene())
    assert held <= 3 * MOST_PENDING
    parts = "".join(m["html"] for m in late if m["kind"] == "part")
    assert [n for n in range(REPLIES + 1) if parts.count(f">reply {n} ends<") != 1] == []


def test_a_long_text_is_told_once_to_a_page_that_comes_in_the_middle_of_it(run: Run) -> None:
    pieces = 9 * MOST_PENDING_CHARS // len(PIECE)

    async def speak(numbers: range) -> None:
        for number in numbers:
            run.stream.emit(ev.TextStreamed("coder", f"{number:010} "))
            if number % 50 == 0:
                await run.heard()

    async def scene() -> list[list[dict[str, Any]]]:
        first = asyncio.create_task(told_until(run, "the end of it"))
        await asyncio.sleep(0.3)
        later, part = [], pieces // 5
        for at in range(0, pieces, part):
            later.append(asyncio.create_task(told_until(run, "the end of it")))
            await speak(range(at, min(at + part, pieces)))
        await run.heard()
        chars = sum(len(s.event.text) for s in run.recent.events if isinstance(s.event, ev.TextStreamed))
        assert chars <= 3 * MOST_PENDING_CHARS
        run.stream.emit(ev.TextStreamed("coder", "the end of it"))
        return [await task for task in (first, *later)]

    for told in asyncio.run(scene()):
        text = "".join(m["text"] for m in told if m["kind"] == "piece")
        assert text == "".join(f"{number:010} " for number in range(pieces)) + "the end of it"
