"""Standard input and output as the protocol's wire: nothing else in the process can read the one or write the other.

Its threads are daemons, so that a client which neither writes nor reads any more holds up no end.
"""

import asyncio
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, jsonrpc_message_adapter
from pydantic import ValidationError

from super_agent.core.errors import ExitCode
from super_agent.mcp.jobs import Jobs

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""As over HTTP, where it is the library's default."""
READ_BYTES = 64 * 1024
FLUSH_S = 2.0

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]


async def serve(server: MCPServer, jobs: Jobs) -> ExitCode:
    """Until standard input ends, or until SIGINT or SIGTERM; what runs then is ended first."""
    protocol = server._lowlevel_server  # the library's own `run` reads in a thread that no signal can end
    loop = asyncio.get_running_loop()
    async with standard_streams() as (incoming, outgoing):
        with anyio.CancelScope() as scope:

            def stop() -> None:
                jobs.cancel()
                scope.cancel()

            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)
            await protocol.run(incoming, outgoing, protocol.create_initialization_options())
    return ExitCode.INTERRUPTED if scope.cancel_called else ExitCode.OK


@asynccontextmanager
async def standard_streams() -> AsyncIterator[Streams]:
    """The messages that come in and those that go out, until standard input ends."""
    source, sink = _claim()
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    writer = _Writer(sink)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, source, to_server, writer)
        tasks.start_soon(_write, from_server, writer)
        yield incoming, outgoing
        tasks.cancel_scope.cancel()
    await writer.flush()


def _claim() -> tuple[int, int]:
    """Descriptors of the wire; what else reads 0 finds nothing, what else writes 1 is on standard error."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


async def _read(source: int, to_server: MemoryObjectSendStream[SessionMessage | Exception], writer: "_Writer") -> None:
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes | None | _End](1)

    def pump() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads on
            for line in lines_of(source):
                asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
            asyncio.run_coroutine_threadsafe(lines.put(_End()), loop).result()

    threading.Thread(target=pump, name="mcp stdin", daemon=True).start()
    async with to_server:
        while not isinstance(line := await lines.get(), _End):
            if line is None:
                writer.put(_error(INVALID_REQUEST, f"the message has more than {MAX_MESSAGE_BYTES} bytes"))
                continue
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValidationError:
                writer.put(_error(PARSE_ERROR, "the line is no JSON-RPC message"))
                continue
            await to_server.send(SessionMessage(message))


async def _write(from_server: MemoryObjectReceiveStream[SessionMessage], writer: "_Writer") -> None:
    async with from_server:
        async for outgoing in from_server:
            writer.put(outgoing.message.model_dump_json(by_alias=True, exclude_unset=True).encode())


def lines_of(source: int) -> Iterator[bytes | None]:
    """Each line that says something; None in place of one that is too long."""
    kept, too_long = b"", False
    while chunk := os.read(source, READ_BYTES):
        *whole, kept = (kept + chunk).split(b"\n")
        for line in whole:
            if too_long or len(line) > MAX_MESSAGE_BYTES:
                yield None
            elif line.strip():
                yield line
            too_long = False
        if len(kept) > MAX_MESSAGE_BYTES:
            kept, too_long = b"", True
    if too_long:
        yield None
    elif kept.strip():
        yield kept


class _End:
    """Of standard input."""


class _Writer:
    """Writes lines in a thread of its own; those after a failure are dropped: nobody reads them."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="mcp stdout", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Never waits."""
        self._lines.put(line + b"\n")

    async def flush(self) -> None:
        """Within its bound."""
        with anyio.move_on_after(FLUSH_S):
            while self._lines.unfinished_tasks:
                await anyio.sleep(0.01)

    def _work(self) -> None:
        broken = False
        while True:
            line = self._lines.get()
            try:
                while line and not broken:
                    line = line[os.write(self._sink, line) :]
            except OSError:
                broken = True
            finally:
                self._lines.task_done()


def _error(code: int, message: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}).encode()
