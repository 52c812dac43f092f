"""The protocol's side of the tools: their names, descriptions and schemas. Imports the library, so only on opening."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from super_agent import __version__
from super_agent.core.errors import SuperAgentError
from super_agent.mcp.tool_schemas import (
    DiffResult,
    InstanceResult,
    SessionList,
    TaskRequest,
    TaskResult,
    UndoRequest,
    UndoResult,
    plain,
)
from super_agent.mcp.tools import Tools

INSTRUCTIONS = """A local coding team: it plans, writes, runs and checks code in a folder until a check passes or a
reviewer accepts. Give it one self-contained task and, where there is one, the command that proves it done. It knows
nothing of your conversation. A task takes minutes. Folders it may work in: {roots}."""
MAX_TASK_CHARS = 200_000
DIFF_CHARS, MAX_DIFF_CHARS = 20_000, 200_000
MAX_WAIT_S = 24 * 3600.0
READING = ToolAnnotations(read_only_hint=True, open_world_hint=False)

P = ParamSpec("P")
R = TypeVar("R")
Session = Annotated[str, Field(min_length=1, max_length=64, description="A session's id, or its beginning.")]
Task = Annotated[str, Field(min_length=1, max_length=MAX_TASK_CHARS, description="What is to be done, in plain words.")]
Workspace = Annotated[
    str | None,
    Field(
        max_length=4096,
        description="Absolute path of the project, in an allowed folder. Default: the only one.",
    ),
]
CheckCommand = Annotated[
    str | None,
    Field(
        max_length=4096,
        description="A command that passes when the work is done (`pytest -q`); it runs in the sandbox.",
    ),
]
Mode = Annotated[
    Literal["team", "solo"] | None, Field(description="team (default): planner, coder, reviewer. solo: one agent.")
]
GoOn = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=64,
        description="Go on with this session, which knows what it did; the task is then what is to be done next.",
    ),
]
Turns = Annotated[
    int | None, Field(ge=1, le=1000, description="Turns before it gives up. Default: as the user set it.")
]
WaitAtMost = Annotated[
    float | None,
    Field(ge=0, le=MAX_WAIT_S, description="Return after so many seconds even if it goes on. Default: at its end."),
]
Wait = Annotated[float, Field(ge=0, le=MAX_WAIT_S, description="Wait up to so many seconds for the run's end.")]
DiffSize = Annotated[int, Field(ge=0, le=MAX_DIFF_CHARS, description="At most so many characters of the diff.")]


Sessions = Annotated[int, Field(ge=1, le=500, description="At most so many, newest first.")]
Files = Annotated[list[str] | None, Field(max_length=1000, description="Only these files. Default: all.")]


def build_server(tools: Tools) -> MCPServer:
    """The server with all tools; what runs under way when it ends is ended with it."""

    @asynccontextmanager
    async def lifespan(_server: MCPServer) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await tools.jobs.close()

    server = MCPServer(
        "super-agent",
        title="super-agent, a local coding team",
        instructions=" ".join(INSTRUCTIONS.format(roots=tools.roots).split()),
        version=__version__,
        log_level="CRITICAL",  # a client shows what is on stderr; errors reach it as results
        lifespan=lifespan,
        subscriptions=False,
    )
    _add_running(server, tools)
    _add_sessions(server, tools)
    _add_instance(server, tools)
    return server


def _add_running(server: MCPServer, tools: Tools) -> None:
    @server.tool(annotations=ToolAnnotations(destructive_hint=True, open_world_hint=False))
    @as_tool_errors
    async def run_task(
        ctx: Context,
        task: Task,
        workspace: Workspace = None,
        check: CheckCommand = None,
        mode: Mode = None,
        max_turns: Turns = None,
        session: GoOn = None,
        wait_s: WaitAtMost = None,
        max_diff_chars: DiffSize = DIFF_CHARS,
    ) -> TaskResult:
        """Have the coding team do a task in a folder, and wait for the result: outcome, files, diff, cost.

        Progress names the session at once. If your client gives up on long calls, give wait_s (such as 50) and then
        call get_result with the session until the outcome is no longer "running".
        """
        asked = TaskRequest(task, workspace, check, mode, max_turns, session)
        return await tools.run_task(ctx, asked, wait_s, max_diff_chars)

    @server.tool(annotations=READING)
    @as_tool_errors
    async def get_result(
        ctx: Context, session: Session, wait_s: Wait = 0, max_diff_chars: DiffSize = DIFF_CHARS
    ) -> TaskResult:
        """What became of a task, or what it does now; with wait_s it waits for the end. Sessions last over restarts."""
        return await tools.get_result(ctx, session, wait_s, max_diff_chars)

    @server.tool(annotations=ToolAnnotations(destructive_hint=False, idempotent_hint=True, open_world_hint=False))
    @as_tool_errors
    async def cancel(session: Session) -> TaskResult:
        """End a task that runs; what it changed stays, and undo takes it back."""
        return await tools.cancel(session)


def _add_sessions(server: MCPServer, tools: Tools) -> None:
    @server.tool(annotations=READING)
    @as_tool_errors
    async def diff(
        session: Session,
        turn: Annotated[int | None, Field(ge=1, description="Of one turn only.")] = None,
        offset: Annotated[int, Field(ge=0, description="Begin at this character: next_offset of the call before.")] = 0,
        max_chars: DiffSize = DIFF_CHARS,
    ) -> DiffResult:
        """What a session changed, as a unified diff, in parts."""
        return await tools.diff(session, turn, offset, max_chars)

    @server.tool(annotations=ToolAnnotations(destructive_hint=True, open_world_hint=False))
    @as_tool_errors
    async def undo(
        session: Session,
        to_turn: Annotated[int | None, Field(ge=0, description="Back to the end of this turn. Default: all.")] = None,
        files: Files = None,
        force: Annotated[bool, Field(description="Also what somebody else changed since.")] = False,
        redo: Annotated[bool, Field(description="Take the last undo back instead.")] = False,
    ) -> UndoResult:
        """Take back what a session changed in its folder; what somebody else changed since stays."""
        return await tools.undo(UndoRequest(session, to_turn, tuple(files or ()), force, redo))

    @server.tool(annotations=READING)
    @as_tool_errors
    async def sessions(workspace: Workspace = None, limit: Sessions = 20) -> SessionList:
        """Past and running sessions in the allowed folders, newest first."""
        return await tools.sessions(workspace, limit)


def _add_instance(server: MCPServer, tools: Tools) -> None:
    @server.tool(annotations=READING)
    @as_tool_errors
    async def instance(
        ctx: Context,
        proof: Annotated[bool, Field(description="Prove it with four short prompts, too.")] = False,
        load: Annotated[bool, Field(description="With proof: load the model where it is not loaded.")] = False,
    ) -> InstanceResult:
        """Whether both halves of the team use one model instance, which models are loaded, and who uses them."""
        return await tools.instance(ctx, proof=proof, load=load)


def as_tool_errors(tool: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """What can be acted on reaches the caller as the protocol's own tool error."""

    @wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except SuperAgentError as error:
            raise ToolError(plain(str(error))) from error

    call.__doc__ = inspect.cleandoc(tool.__doc__ or "")  # it is the description that a model reads
    return call
