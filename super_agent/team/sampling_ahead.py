"""Attempts that are sampled at once: where the server has slots to spare, the next ones while the first is written.

Each is a conversation of its own with the same model. What is not asked for after all is cancelled, and counted.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from super_agent.core.errors import InstanceChanged, SuperAgentError
from super_agent.core.events import Emit, Event, ReplyDiscarded, discard
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Reply, ReplyPiece, Sampling
from super_agent.core.model.prefill import Prefill
from super_agent.core.threads import start_in_thread
from super_agent.team.drawing import Pieces, ReplyRequest, draw


@dataclass(frozen=True, slots=True)
class Upcoming:
    """How a later attempt at the same prompt would be drawn, and how its reply would begin."""

    sampling: Sampling | None
    prefill: Prefill


@dataclass(slots=True)
class SamplingAhead:
    """Of one run's coder; lives in one event loop.

    `spare_slots` is how many requests the server would take beside this run's one; it may block. `upcoming` is the
    attempt that would come so many attempts after the one that is asked for now; None where that cannot be known.
    """

    llm: LLMClient
    emit: Emit
    spare_slots: Callable[[], int]
    upcoming: Callable[[int], Upcoming | None]
    changed: InstanceChanged | None = None
    """What a strict run has to end with, although nobody asked for the reply in which it was seen."""
    _begun: list["_Reply"] = field(default_factory=list)
    _beginning: asyncio.Task[None] | None = None
    _idle: list["_Conversation"] = field(default_factory=list)

    async def draw(self, request: ReplyRequest) -> Pieces:
        """The reply; raises what `LLMClient.stream` does."""
        await self._stop_beginning()
        found = next((reply for reply in self._begun if reply.request == request and reply.error is None), None)
        if found is None:
            await self._give_up()
        if self.changed is not None:
            raise self.changed
        self._beginning = asyncio.create_task(self._begin(request))
        try:
            async with aclosing(draw(self.llm, request) if found is None else found.pieces(self.emit)) as pieces:
                async for item in pieces:
                    yield item
        finally:
            if found is not None:
                await self._end(found)

    async def aclose(self) -> None:
        """Cancel what nobody has asked for, and close the connections."""
        await self._stop_beginning()
        await self._give_up()
        while self._idle:
            await self._idle.pop().llm.aclose()

    async def _begin(self, request: ReplyRequest) -> None:
        """Begin further attempts beside this one, where there is room for them; end those that are none of them."""
        try:
            wanted = self._wanted(request, await start_in_thread(self.spare_slots, "slots"))
        except SuperAgentError:
            return  # the attempt itself meets what is wrong, and says so
        for reply in [r for r in self._begun if not r.taken and r.request not in wanted]:
            await self._end(reply)
        for later in wanted:
            if all(reply.request != later for reply in self._begun):
                conversation = self._idle.pop() if self._idle else _Conversation(self.llm)
                self._begun.append(_Reply(later, conversation))

    def _wanted(self, request: ReplyRequest, count: int) -> list[ReplyRequest]:
        found = []
        for place in range(1, count + 1):
            if (attempt := self.upcoming(place)) is None:
                break
            found.append(replace(request, sampling=attempt.sampling, prefill=attempt.prefill))
        return found

    async def _stop_beginning(self) -> None:
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            beginning.cancel()
            await asyncio.wait([beginning])
            if not beginning.cancelled() and (error := beginning.exception()) is not None:
                raise error

    async def _give_up(self) -> None:
        for reply in self._begun:
            reply.cancel()
        while self._begun:
            await self._end(self._begun[-1])

    async def _end(self, reply: "_Reply") -> None:
        reply.cancel()
        await reply.ended()
        if reply in self._begun:
            self._begun.remove(reply)
            self._idle.append(reply.conversation)
        if isinstance(reply.error, InstanceChanged):
            self.changed = self.changed or reply.error


class _Conversation:
    """A client of its own, for one reply after another."""

    def __init__(self, beside: LLMClient) -> None:
        self.hears: Emit = discard
        self.llm = beside.beside(lambda event: self.hears(event))


class _Reply:
    """One that is sampled ahead, in a task of its own; its pieces are kept until it is asked for."""

    def __init__(self, request: ReplyRequest, conversation: _Conversation) -> None:
        self.request = request
        self.conversation = conversation
        self.taken = False
        self._items: asyncio.Queue[ReplyPiece | Reply | None] = asyncio.Queue()
        conversation.hears = self._heard
        conversation.llm.go_back()
        self._task = asyncio.create_task(self._sample())

    async def pieces(self, emit: Emit) -> Pieces:
        """What was written so far at once, and the rest as it comes; `emit` hears the rest of its events. Raises what
        ended it."""
        self.taken, self.conversation.hears = True, emit
        while (item := await self._items.get()) is not None:
            yield item
        await self.ended()
        if self.error is not None:
            raise self.error

    @property
    def error(self) -> BaseException | None:
        """What ended it without a reply."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    def cancel(self) -> None:
        """The server stops writing."""
        self._task.cancel()

    async def ended(self) -> None:
        """Wait until it is over."""
        await asyncio.wait([self._task])

    def _heard(self, event: Event) -> None:
        """Nobody has seen the pieces of a try that broke off."""
        if isinstance(event, ReplyDiscarded):
            while not self._items.empty():
                self._items.get_nowait()

    async def _sample(self) -> None:
        try:
            async with aclosing(draw(self.conversation.llm, self.request)) as pieces:
                async for item in pieces:
                    self._items.put_nowait(item)
        finally:
            self._items.put_nowait(None)
