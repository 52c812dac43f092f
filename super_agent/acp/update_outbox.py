"""What goes out to the editor for one session: in order, from any thread, no faster than it is read."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from acp.schema import AgentMessageChunk, AgentThoughtChunk, TextContentBlock, ToolCallProgress

from super_agent.core.threads import call_soon


class Connection(Protocol):
    """The part of the package's connection that is used here."""

    async def session_update(self, session_id: str, update: Any) -> None:
        """Send one notification; returns when it is written."""


@dataclass(slots=True)
class Outbox:
    """Pieces of one text, and states of one tool call, that still wait are joined: a slow editor gets fewer of them."""

    connection: Connection
    session: str
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _waiting: deque[Any] = field(default_factory=deque)
    _pump: "asyncio.Task[None] | None" = None

    def post(self, updates: Iterable[Any]) -> None:
        """From any thread."""
        for update in updates:
            call_soon(self._loop, partial(self._add, update))

    async def drained(self) -> None:
        """Until all that was posted before is written."""
        await asyncio.sleep(0)  # what other threads posted has its turn first
        while self._pump is not None and not self._pump.done():
            await asyncio.shield(self._pump)

    def _add(self, update: Any) -> None:
        joined = _joined(self._waiting[-1], update) if self._waiting else None
        if joined is not None:
            self._waiting[-1] = joined
        else:
            self._waiting.append(update)
        if self._pump is None or self._pump.done():
            self._pump = self._loop.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            try:
                await self.connection.session_update(self.session, self._waiting.popleft())
            except ConnectionError:  # the editor is gone, and with it whoever would read the rest
                self._waiting.clear()


def _joined(last: Any, update: Any) -> Any:
    """One update in the place of two, or None where both are to be seen."""
    if type(last) is not type(update):
        return None
    if isinstance(update, ToolCallProgress):
        same = last.tool_call_id == update.tool_call_id and update.content is not None
        return update if same else None
    texts = (AgentMessageChunk, AgentThoughtChunk)
    if isinstance(update, texts) and update.message_id is not None and last.message_id == update.message_id:
        text = TextContentBlock(type="text", text=last.content.text + update.content.text)
        return update.model_copy(update={"content": text})
    return None
