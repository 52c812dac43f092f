"""JSON-RPC messages, one a line, over the two descriptors that the editor gave us; nothing else gets onto them."""

import asyncio
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from acp.exceptions import RequestError

from super_agent.core.standard_streams import LineWriter, lines_of
from super_agent.core.threads import call_soon

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Of one line. A prompt with embedded files is some hundred kB; the package itself would take lines without end."""
WAITING = 64
"""Messages that are read before the first of them is taken; an editor that sends more waits."""


@dataclass(slots=True)
class LineTransport:
    """The package's `Transport`; a line that is no request is answered with the protocol's error, never dropped.

    Reading and writing block in threads of their own, so that any kind of descriptor will do and an editor that reads
    nothing holds up nothing else. `receive` gives None once the editor writes no more, or reads no more; `send` is
    silent then.
    """

    source: int
    sink: int
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _incoming: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)
    _writer: LineWriter = field(init=False)
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WAITING))
    _unanswered: int = 0

    def start(self) -> None:
        """Begin to read and write."""
        self._writer = LineWriter(self.sink, lambda: call_soon(self._loop, self.end))
        threading.Thread(target=self._read, name="acp read", daemon=True).start()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None at the end."""
        message = await self._incoming.get()
        if message is not None:
            self._room.release()
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """Write one message; returns when it is written."""
        try:
            if not self._writer.is_gone:
                await self._sent(message)
        finally:
            self._unanswered -= "method" not in message

    async def answered(self, timeout_s: float) -> None:
        """Until each request has its answer, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._unanswered > 0 and not self._writer.is_gone:
                    await asyncio.sleep(0.01)

    async def _sent(self, message: dict[str, Any]) -> None:
        # Not as escapes: half a character, as in a file's name, would make a strict reader refuse the whole line.
        line = json.dumps(message, separators=(",", ":"), default=str, ensure_ascii=False).encode("utf-8", "replace")
        written: asyncio.Future[None] = self._loop.create_future()
        self._writer.put(line, lambda: call_soon(self._loop, partial(_settle, written)))
        await written

    async def close(self) -> None:
        """Stop writing; the reader ends with the editor or the process."""
        self._writer.close()

    def end(self) -> None:
        """As if the editor had gone; in the event loop's thread."""
        self._incoming.put_nowait(None)

    def _receive(self, message: dict[str, Any]) -> None:
        self._unanswered += "method" in message and message.get("id") is not None
        self._incoming.put_nowait(message)

    # ── in threads ──

    def _read(self) -> None:
        for line in lines_of(self.source, MAX_MESSAGE_BYTES):
            self._take(line)
        call_soon(self._loop, self.end)

    def _take(self, line: bytes | None) -> None:
        try:
            message = _message(line)
        except _NoMessage as wrong:
            answer = {"jsonrpc": "2.0", "id": wrong.id, "error": wrong.error.to_error_obj()}
            call_soon(self._loop, lambda: self._answer(answer))
            return
        self._room.acquire()
        call_soon(self._loop, lambda: self._receive(message))

    def _answer(self, message: dict[str, Any]) -> None:
        self._unanswered += 1
        task = self._loop.create_task(self.send(message))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _settle(written: asyncio.Future[None]) -> None:
    if not written.done():
        written.set_result(None)


class _NoMessage(Exception):
    """A line that is no message: what it is answered with, to the id it had."""

    def __init__(self, error: RequestError, name: str | int | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.id = name


def _message(line: bytes | None) -> dict[str, Any]:
    """A request, notification or response; raises `_NoMessage`. None is a line that was too long."""
    if line is None:
        raise _NoMessage(_invalid(f"a message has at most {MAX_MESSAGE_BYTES >> 20} MiB"))
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _NoMessage(RequestError.parse_error({"details": str(error)[:200]})) from error
    if not isinstance(message, dict):
        raise _NoMessage(_invalid("a message is one JSON object"))
    method, params, name = message.get("method"), message.get("params"), message.get("id")
    if not isinstance(name, str | int | None):
        raise _NoMessage(_invalid("an id is a string or a number"))
    if method is None and name is not None and ("result" in message or "error" in message):
        return message
    if not isinstance(method, str):
        raise _NoMessage(_invalid("neither a method nor a result"), name)
    if isinstance(params, dict):
        params.pop("_meta", None)  # the package would let its keys take the place of the request's own
    return message


def _invalid(details: str) -> RequestError:
    return RequestError.invalid_request({"details": details})
