"""Attempts that are sampled at once: where the server has slots to spare, the next ones while the first is written.

Each is a conversation of its own with the same model. What is not asked for after all is cancelled, and counted.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from super_agent.core.errors import InstanceChanged, SuperAgentError
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
    spare_slots: Callable[[], int]
    upcoming: Callable[[int], Upcoming | None]
    _begun: list["_Reply"] = field(default_factory=list)
    _beginning: asyncio.Task[None] | None = None
    _idle: list[LLMClient] = field(default_factory=list)

    async def draw(self, request: ReplyRequest) -> Pieces:
        """The reply; raises what `LLMClient.stream` does."""
        found = next((reply for reply in self._begun if reply.request == request), None)
        self._raise_what_changed()
        await self._stop_beginning()
        if found is None:
            await self._give_up()
        else:
            self._begun.remove(found)
        self._beginning = asyncio.create_task(self._begin(request))
        if found is None or found.error is not None:
            async with aclosing(draw(self.llm, request)) as pieces:
                async for item in pieces:
                    yield item
            return
        try:
            async with aclosing(found.pieces()) as pieces:
                async for item in pieces:
                    yield item
        finally:
            await self._end(found)

    async def aclose(self) -> None:
        """Cancel what nobody has asked for, and close the connections."""
        await self._stop_beginning()
        await self._give_up()
        idle, self._idle = self._idle, []
        for llm in idle:
            await llm.aclose()

    def _raise_what_changed(self) -> None:
        """A run that is strict about the instance ends wherever the change was seen."""
        for reply in self._begun:
            if isinstance(reply.error, InstanceChanged):
                raise reply.error

    async def _begin(self, request: ReplyRequest) -> None:
        """Begin further attempts beside this one, where there is room for them."""
        spare = await start_in_thread(self.spare_slots, "slots")
        for place in range(1, spare + 1):
            if (attempt := self.upcoming(place)) is None:
                break
            later = replace(request, sampling=attempt.sampling, prefill=attempt.prefill)
            if all(reply.request != later for reply in self._begun):
                self._begun.append(_Reply(later, self._idle.pop() if self._idle else self.llm.beside()))

    async def _stop_beginning(self) -> None:
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            beginning.cancel()
            await asyncio.wait([beginning])

    async def _give_up(self) -> None:
        begun, self._begun = self._begun, []
        for reply in begun:
            await self._end(reply)

    async def _end(self, reply: "_Reply") -> None:
        await reply.cancel()
        reply.llm.go_back()
        self._idle.append(reply.llm)


class _Reply:
    """One that is sampled ahead, in a task of its own; its pieces are kept until it is asked for."""

    def __init__(self, request: ReplyRequest, llm: LLMClient) -> None:
        self.request = request
        self.llm = llm
        self.error: SuperAgentError | None = None
        """What ended it without a reply."""
        self._items: asyncio.Queue[ReplyPiece | Reply | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._sample())

    async def pieces(self) -> Pieces:
        """What was written so far at once, and the rest as it comes; raises what ended it."""
        while (item := await self._items.get()) is not None:
            yield item
        if self.error is not None:
            raise self.error

    async def cancel(self) -> None:
        """End it; the server stops writing."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _sample(self) -> None:
        try:
            async with aclosing(draw(self.llm, self.request)) as pieces:
                async for item in pieces:
                    self._items.put_nowait(item)
        except SuperAgentError as error:
            self.error = error
        finally:
            self._items.put_nowait(None)
