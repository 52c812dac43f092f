"""JSON-RPC messages, one a line, over the two descriptors that the editor gave us; nothing else gets onto them."""

import asyncio
import json
import os
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from acp.exceptions import RequestError

from super_agent.core.threads import call_soon

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Of one line. A prompt with embedded files is some hundred kB; the package itself would take lines without end."""
READ_BYTES = 64 * 1024
WAITING = 64
"""Messages that are read before the first of them is taken; an editor that sends more waits."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The protocol's own standard input and output."""

    read: int
    write: int


def claim() -> Descriptors:
    """Take standard input and output for the protocol alone.

    Whatever prints from now on, in this process or a child, prints to standard error; whatever reads, reads nothing.
    """
    ours = Descriptors(os.dup(0), os.dup(1))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without standard error
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return ours


@dataclass(slots=True)
class LineTransport:
    """The package's `Transport`; a line that is no request is answered with the protocol's error, never dropped.

    Reading and writing block in threads of their own, so that any kind of descriptor will do and an editor that reads
    nothing holds up nothing else. `receive` gives None once the editor writes no more, or reads no more; `send` is
    silent then.
    """

    descriptors: Descriptors
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _incoming: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)
    _outgoing: "queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None]" = field(default_factory=queue.SimpleQueue)
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WAITING))
    _gone: bool = False
    _unanswered: int = 0

    def start(self) -> None:
        """Begin to read and write."""
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"acp{work.__name__}", daemon=True).start()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None at the end."""
        message = await self._incoming.get()
        if message is not None:
            self._room.release()
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """Write one message; returns when it is written."""
        try:
            if not self._gone:
                await self._sent(message)
        finally:
            self._unanswered -= "method" not in message

    async def answered(self, timeout_s: float) -> None:
        """Until each request has its answer, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._unanswered > 0 and not self._gone:
                    await asyncio.sleep(0.01)

    async def _sent(self, message: dict[str, Any]) -> None:
        # Not as escapes: half a character, as in a file's name, would make a strict reader refuse the whole line.
        line = json.dumps(message, separators=(",", ":"), default=str, ensure_ascii=False).encode("utf-8", "replace")
        written: asyncio.Future[None] = self._loop.create_future()
        self._outgoing.put((line + b"\n", written))
        await written

    async def close(self) -> None:
        """Stop writing; the reader ends with the editor or the process."""
        self._outgoing.put(None)

    def end(self) -> None:
        """As if the editor had gone; in the event loop's thread."""
        self._incoming.put_nowait(None)

    def _receive(self, message: dict[str, Any]) -> None:
        self._unanswered += "method" in message and message.get("id") is not None
        self._incoming.put_nowait(message)

    # ── in threads ──

    def _read(self) -> None:
        line, too_long = bytearray(), False
        while data := self._some():
            *ended, rest = data.split(b"\n")
            for part in ended:
                self._take(bytes(line) + part, too_long=too_long or len(line) + len(part) > MAX_MESSAGE_BYTES)
                line.clear()
                too_long = False
            if too_long or len(line) + len(rest) > MAX_MESSAGE_BYTES:
                line.clear()
                too_long = True
            else:
                line += rest
        self._take(bytes(line), too_long=too_long)
        call_soon(self._loop, self.end)

    def _some(self) -> bytes:
        try:
            return os.read(self.descriptors.read, READ_BYTES)
        except OSError:  # a terminal or socket that is gone
            return b""

    def _take(self, line: bytes, *, too_long: bool) -> None:
        if not too_long and not line.strip():
            return
        try:
            message = _message(line, too_long=too_long)
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

    def _write(self) -> None:
        while (item := self._outgoing.get()) is not None:
            line, written = item
            try:
                while line and not self._gone:
                    line = line[os.write(self.descriptors.write, line) :]
            except OSError:  # nobody reads any more
                self._gone = True
                call_soon(self._loop, self.end)
            call_soon(self._loop, partial(_settle, written))


def _settle(written: asyncio.Future[None]) -> None:
    if not written.done():
        written.set_result(None)


class _NoMessage(Exception):
    """A line that is no message: what it is answered with, to the id it had."""

    def __init__(self, error: RequestError, name: str | int | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.id = name


def _message(line: bytes, *, too_long: bool) -> dict[str, Any]:
    """A request, notification or response; raises `_NoMessage`."""
    if too_long:
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
