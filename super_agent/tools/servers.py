"""The servers of a run, in an event loop and thread of their own: started together, asked one by one, ended."""

import asyncio
import concurrent.futures
import json
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
from mcp import ClientSession
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types import CallToolResult, Implementation, PaginatedRequestParams, TextContent

from super_agent import __version__
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted, SuperAgentError
from super_agent.tools.listed import ListedServer
from super_agent.tools.process import ServerProcess

START_S = 60.0
"""For a server to start and tell its tools: the first time, some fetch themselves."""
MAX_TOOLS, MAX_PAGES = 64, 16
"""Of one server; more would be more than a prompt holds."""
CLOSE_S = 8.0

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as its server describes it; `schema` is a JSON Schema of its arguments."""

    server: ListedServer
    name: str
    description: str
    schema: Json


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to; `failed` is the tool's own word for it."""

    text: str
    failed: bool


class ServerGone(Exception):
    """A server that ended, or was ended, with why."""


@dataclass(slots=True)
class _Running:
    server: ListedServer
    process: ServerProcess | None = None
    session: ClientSession | None = None
    tools: tuple[OfferedTool, ...] = ()
    why_gone: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)


class Servers:
    """Open from `start` to `close`, for one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mcp tools", daemon=True)
        self._running: dict[str, _Running] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._thread.start()

    def start(self, listed: Sequence[ListedServer], cancellation: Cancellation, tell: Callable[[str], None]) -> None:
        """Start all at once; `tell` is told a line of each that does not. Raises `Interrupted` when cancelled."""
        try:
            self._wait(self._start(listed), START_S + 5, cancellation)
        except concurrent.futures.CancelledError:
            raise Interrupted("interrupted while the MCP servers were started") from None
        for running in self._running.values():
            if running.why_gone:
                tell(f"the MCP server {running.server.name} gives no tools: {running.why_gone}")

    @property
    def tools(self) -> tuple[OfferedTool, ...]:
        """Of the servers that started, in the order of the list."""
        return tuple(tool for running in self._running.values() for tool in running.tools)

    def call(self, tool: OfferedTool, arguments: Json, timeout_s: float, cancellation: Cancellation) -> ToolResult:
        """Raises `ServerGone`, also for one that is ended as it is silent, and CancelledError when cancelled."""
        running = self._running[tool.server.name]
        if running.why_gone:
            raise ServerGone(running.why_gone)
        return self._wait(self._ask(running, tool.name, arguments, timeout_s), timeout_s + 5, cancellation)

    def close(self) -> None:
        """End all servers; idempotent."""
        if self._loop.is_closed():
            return
        self._wait(self._close(), CLOSE_S + 2, Cancellation())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T], timeout_s: float, cancellation: Cancellation) -> T:
        call: concurrent.futures.Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        with cancellation.ending(call.cancel):
            return call.result(timeout_s)

    async def _start(self, listed: Sequence[ListedServer]) -> None:
        for server in listed:
            running = self._running[server.name] = _Running(server)
            self._tasks.append(asyncio.create_task(self._serve(running)))
        waits = [asyncio.create_task(running.ready.wait()) for running in self._running.values()]
        await asyncio.wait(waits, timeout=START_S)
        for running in self._running.values():
            if not running.ready.is_set():
                running.why_gone = f"it did not start within {START_S:.0f} s"
                running.closing.set()

    async def _serve(self, running: _Running) -> None:
        """From its start to its end, in one task, as the library's scopes need it."""
        try:
            running.process = await ServerProcess.start(running.server)
            await self._converse(running, running.process)
        except (OSError, ValueError, SuperAgentError) as error:
            running.why_gone = running.why_gone or str(error)
        except Exception as error:  # noqa: BLE001 - whatever a foreign server makes the library do ends that server alone
            running.why_gone = running.why_gone or _reason(error)
        finally:
            running.session, running.tools = None, running.tools if running.ready.is_set() else ()
            process = running.process
            if process is not None:
                await process.stop()
                running.why_gone = process.why_ended or running.why_gone
            running.why_gone = running.why_gone or "it was ended"
            running.ready.set()

    async def _converse(self, running: _Running, process: ServerProcess) -> None:
        heard, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, said = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                await process.read(heard)
                running.closing.set()

            async def end() -> None:
                await running.closing.wait()
                tasks.cancel_scope.cancel()  # what is waited for will not come

            tasks.start_soon(process.drain_errors)
            tasks.start_soon(process.write, said)
            tasks.start_soon(read)
            tasks.start_soon(end)
            me = Implementation(name="super-agent", version=__version__)
            async with ClientSession(incoming, outgoing, client_info=me) as session:
                await session.initialize()
                running.tools = await _tools_of(running.server, session)
                running.session = session
                running.ready.set()
                await running.closing.wait()

    async def _ask(self, running: _Running, name: str, arguments: Json, timeout_s: float) -> ToolResult:
        session, process = running.session, running.process
        if session is None or process is None:
            raise ServerGone(running.why_gone or "it ended")
        process.heard_bytes = 0
        call = asyncio.ensure_future(session.call_tool(name, arguments))
        gone = asyncio.ensure_future(running.closing.wait())
        try:
            await asyncio.wait([call, gone], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if call.done() and not running.closing.is_set():
                return _answer(call.result())
            if not running.closing.is_set():
                process.why_ended = f"it gave no answer within {timeout_s:.0f} s"
                running.closing.set()
            raise ServerGone(process.why_ended or "it ended")
        except MCPError as error:
            return ToolResult(f"{error}", failed=True)
        except RuntimeError as error:  # an answer that its own schema does not allow
            return ToolResult(f"{error}", failed=True)
        finally:
            gone.cancel()
            call.cancel()
            if running.closing.is_set():
                running.why_gone = process.why_ended or "it ended"

    async def _close(self) -> None:
        for running in self._running.values():
            running.closing.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _tools_of(server: ListedServer, session: ClientSession) -> tuple[OfferedTool, ...]:
    found: list[OfferedTool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        found += [OfferedTool(server, t.name, t.description or "", dict(t.input_schema)) for t in page.tools]
        cursor = page.next_cursor
        if not cursor or len(found) >= MAX_TOOLS:
            break
    return tuple(found[:MAX_TOOLS])


def _answer(result: Any) -> ToolResult:
    if not isinstance(result, CallToolResult):
        return ToolResult("the server asks for something that cannot be given here", failed=True)
    parts = []
    for item in result.content:
        if isinstance(item, TextContent):
            parts.append(item.text)
        else:
            parts.append(f"[{item.type}, not shown]")
    if not parts and result.structured_content is not None:
        parts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return ToolResult("\n".join(parts), failed=bool(result.is_error))


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
