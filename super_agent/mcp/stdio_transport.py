"""The tools over standard input and output."""

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, jsonrpc_message_adapter
from pydantic import ValidationError

from super_agent.core.errors import ExitCode
from super_agent.core.standard_streams import LineWriter, claim, lines_of
from super_agent.core.threads import call_soon
from super_agent.mcp.run_jobs import Jobs

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""As over HTTP, where it is the library's default."""
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
    source, sink = claim()
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    writer = LineWriter(sink)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, source, to_server, writer)
        tasks.start_soon(_write, from_server, writer)
        yield incoming, outgoing
        tasks.cancel_scope.cancel()
    flushed = anyio.Event()
    loop = asyncio.get_running_loop()
    writer.close(lambda: call_soon(loop, flushed.set))
    with anyio.move_on_after(FLUSH_S):
        await flushed.wait()


async def _read(source: int, to_server: MemoryObjectSendStream[SessionMessage | Exception], writer: LineWriter) -> None:
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes | None | _EndOfInput](1)

    def pump() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads on
            for line in lines_of(source, MAX_MESSAGE_BYTES):
                asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
            asyncio.run_coroutine_threadsafe(lines.put(_EndOfInput()), loop).result()

    threading.Thread(target=pump, name="mcp stdin", daemon=True).start()
    async with to_server:
        while not isinstance(line := await lines.get(), _EndOfInput):
            if line is None:
                writer.put(_error(INVALID_REQUEST, f"the message has more than {MAX_MESSAGE_BYTES} bytes"))
                continue
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValidationError:
                writer.put(_error(PARSE_ERROR, "the line is no JSON-RPC message"))
                continue
            await to_server.send(SessionMessage(message))


async def _write(from_server: MemoryObjectReceiveStream[SessionMessage], writer: LineWriter) -> None:
    async with from_server:
        async for outgoing in from_server:
            writer.put(outgoing.message.model_dump_json(by_alias=True, exclude_unset=True).encode())


class _EndOfInput:
    """Of standard input."""


def _error(code: int, message: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}).encode()
