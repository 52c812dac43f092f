"""Sessions that pages follow: one reader of the store for each session, however many pages there are.

A page subscribes before it reads what is stored, so nothing falls between; what it is given twice it knows by the
number. A page that reads too slowly is let go: its browser comes back and goes on from its last number.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from super_agent.core.errors import StoreFailed
from super_agent.core.events import Stamped
from super_agent.core.store.store import Store

LOOK_EVERY_S = 0.25
STATE_EVERY_S = 1.0
"""How often it is looked whether a run still lives: one that is killed writes nothing about it."""
MOST_BEHIND = 5_000
"""Events a page may be behind before it is let go; a fast model streams some 100 a second."""

Signal = Literal["anew", "state"]
"""The numbers are given again, so a page begins anew; or the session's state is another than before."""


@dataclass(slots=True, eq=False)
class Follower:
    """One page's place."""

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
    """One session's events from `seq` on, for whoever follows it."""

    store: Store
    session: str
    seq: int
    mark: int
    followers: set[Follower] = field(default_factory=set)
    _version: int = -1
    _state: tuple[object, ...] = ()
    _looked_at_state: float = 0.0

    async def run(self) -> None:
        """Look again and again, until cancelled; a store that fails for a moment is looked at again."""
        while True:
            with suppress(StoreFailed):
                await self._look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        for item in await asyncio.to_thread(self._news):
            if isinstance(item, Stamped):
                self.seq = item.seq
            for follower in self.followers:
                follower.give(item)

    def _news(self) -> list[Stamped | Signal]:
        found: list[Stamped | Signal] = []
        if (version := self.store.version()) != self._version:
            if (mark := self.store.rolled_back(self.session)) != self.mark:
                self.mark, self.seq = mark, 0
                return ["anew"]
            found += self.store.events(self.session, after=self.seq)
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
    """The feeds of one server; each lives while somebody follows it."""

    store: Store
    _feeds: dict[str, tuple[Feed, "asyncio.Task[None]"]] = field(default_factory=dict)

    @asynccontextmanager
    async def follow(self, session: str, after: int, mark: int) -> AsyncIterator[Follower]:
        """Whatever is stored from now on comes, and perhaps some of what was stored before."""
        if session not in self._feeds:
            feed = Feed(self.store, session, after, mark)
            self._feeds[session] = feed, asyncio.create_task(feed.run())
        feed, task = self._feeds[session]
        follower = Follower()
        feed.followers.add(follower)
        try:
            yield follower
        finally:
            feed.followers.discard(follower)
            if not feed.followers:
                task.cancel()
                self._feeds.pop(session, None)
