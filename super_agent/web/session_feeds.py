"""Sessions that pages follow: one reader for each session, of its run or of the store, however many pages there are.

A page subscribes before it reads what is stored, so nothing falls between. Of what is stored it takes what comes before
its `first`, from where on the run itself tells it all: an event there may be a part of one in the store, so the number
would not tell that it was given twice. A page that reads too slowly is let go: its browser comes back and goes on from
its last number.
"""

import asyncio
import json
import math
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from super_agent.core.errors import StoreFailed
from super_agent.core.events import RunEnded, Stamped, TurnStarted
from super_agent.core.store.store import Store
from super_agent.session.control_client import TIMEOUT_S, RunGone, connect, event_from
from super_agent.web.unstored_events import UnstoredEvents

LOOK_EVERY_S = 0.25
STATE_EVERY_S = 1.0
"""How often it is looked whether a run still lives: one that is killed writes nothing about it."""
MOST_BEHIND = 5_000
"""Events a page may be behind before it is let go; a fast model streams some 100 a second."""

MOST_OF_ONE_EVENT = 1 << 26
"""Bytes of a line; a message or an output is cut long before."""

Signal = Literal["anew", "state"]
"""The numbers are given again, so a page begins anew; or the session's state is another than before."""


@dataclass(slots=True, eq=False)
class Follower:
    """One page's place. `recent` is what was told before it came and may not be stored.

    From the number `first` on everything comes from here; infinite while no run tells anything.
    """

    recent: list[Stamped] = field(default_factory=list)
    first: float = math.inf
    queue: "asyncio.Queue[Stamped | Signal]" = field(default_factory=lambda: asyncio.Queue(MOST_BEHIND))
    behind: bool = False

    def give(self, item: Stamped | Signal) -> None:
        """Never waits."""
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.behind = True


@dataclass(slots=True, eq=False)
class Feed:
    """One session's events, for whoever follows it: from its run itself, else from the store.

    `seq` is the last that was given. `recent` is what the run told and the store may not have yet. From `ready` on
    everything is given that a page does not find in the store.
    """

    store: Store
    folder: Path
    session: str
    mark: int
    seq: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    followers: set[Follower] = field(default_factory=set)
    recent: UnstoredEvents = field(default_factory=UnstoredEvents)
    _first: float = math.inf
    _version: int = -1
    _state: tuple[object, ...] = ()
    _looked_at_state: float = 0.0

    async def run(self) -> None:
        """Until cancelled; a store that fails for a moment is looked at again."""
        try:
            while True:
                with suppress(RunGone):
                    connection = await asyncio.to_thread(connect, self.folder)
                    await self._listen(connection)
                with suppress(StoreFailed):
                    if not self.ready.is_set():
                        self.seq = await asyncio.to_thread(self.store.last_seq, self.session)
                self.ready.set()
                with suppress(StoreFailed):
                    await self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.ready.set()

    async def _listen(self, connection: socket.socket) -> None:
        """To the run itself, until it ends; then pages begin anew if it did not tell its end."""
        connection.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MOST_OF_ONE_EVENT)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                writer.write(b'{"do": "follow"}\n')
                answer = json.loads(await reader.readline())
                if not answer.get("ok"):
                    return
            self._first = int(answer["first"])
            for follower in self.followers:
                follower.first = self._first
            if self.ready.is_set():
                await self._look()  # what was stored before that, since it was looked at last
            else:
                self.seq = int(self._first) - 1
                self.ready.set()
            watching = asyncio.create_task(self._watch_state())
            try:
                ended = await self._pass_on(reader)
            finally:
                watching.cancel()
            if not ended:
                self._give("anew")
        except (OSError, ValueError, KeyError, TypeError, TimeoutError, StoreFailed):
            self._give("anew")
        finally:
            self.recent.clear()
            self._first = math.inf
            writer.close()

    def follower(self) -> Follower:
        """A new place, from now on."""
        recent = self.recent.events
        found = Follower(recent, recent[0].seq if recent else self._first)
        self.followers.add(found)
        return found

    async def _pass_on(self, reader: asyncio.StreamReader) -> bool:
        """Whether the run told its end."""
        ended = False
        while line := await reader.readline():
            stamped = event_from(self.session, line)
            if isinstance(stamped.event, TurnStarted):
                self.recent.clear()  # what came before it is stored
            self.recent.add(stamped)
            self.seq = stamped.seq
            self._give(stamped)
            if self.recent.is_much:
                with suppress(StoreFailed):
                    self.recent.drop(await asyncio.to_thread(self.store.last_seq, self.session))
            ended = isinstance(stamped.event, RunEnded)
        return ended

    async def _watch_state(self) -> None:
        while True:
            await asyncio.sleep(STATE_EVERY_S)
            with suppress(StoreFailed):
                for item in await asyncio.to_thread(self._new_state):
                    self._give(item)

    async def _look(self) -> None:
        for item in await asyncio.to_thread(self._news):
            if isinstance(item, Stamped):
                self.seq = item.seq
            self._give(item)

    def _give(self, item: Stamped | Signal) -> None:
        for follower in self.followers:
            follower.give(item)

    def _news(self) -> list[Stamped | Signal]:
        found: list[Stamped | Signal] = []
        if (version := self.store.version()) != self._version:
            if (mark := self.store.rolled_back(self.session)) != self.mark:
                self.mark, self.seq = mark, 0
                return ["anew"]
            found += (s for s in self.store.events(self.session, after=self.seq) if s.seq < self._first)
            self._version = version
        now = time.monotonic()
        if now - self._looked_at_state >= STATE_EVERY_S:
            self._looked_at_state = now
            found += self._new_state()
        return found

    def _new_state(self) -> list[Stamped | Signal]:
        row = self.store.get(self.session)
        if row is None:
            return ["anew"]  # removed meanwhile
        before, self._state = self._state, (row.state, row.reason, row.turns, row.files, row.prompt_tokens)
        return ["state"] if before not in ((), self._state) else []


@dataclass(slots=True)
class Feeds:
    """The feeds of one server; each lives while somebody follows it. Session folders lie in `folder`."""

    store: Store
    folder: Path
    _feeds: dict[str, tuple[Feed, "asyncio.Task[None]"]] = field(default_factory=dict)

    @asynccontextmanager
    async def follow(self, session: str, mark: int) -> AsyncIterator[Follower]:
        """Whatever happens from now on comes, and what happened before and is not stored; perhaps some that is."""
        if session not in self._feeds:
            feed = Feed(self.store, self.folder / session, session, mark)
            self._feeds[session] = feed, asyncio.create_task(feed.run())
        feed, task = self._feeds[session]
        follower = feed.follower()
        try:
            await feed.ready.wait()
            yield follower
        finally:
            feed.followers.discard(follower)
            if not feed.followers:
                task.cancel()
                self._feeds.pop(session, None)
