"""The protocol's methods: a request comes in, a session does it, and an error has the protocol's form."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from acp.exceptions import RequestError
from acp.schema import (
    AgentCapabilities,
    CloseSessionResponse,
    Implementation,
    InitializeResponse,
    ListSessionsResponse,
    LoadSessionResponse,
    NewSessionResponse,
    PermissionOption,
    PromptCapabilities,
    PromptResponse,
    RequestPermissionResponse,
    ResumeSessionResponse,
    SessionCapabilities,
    SessionCloseCapabilities,
    SessionListCapabilities,
    SessionResumeCapabilities,
    SetSessionConfigOptionResponse,
    StopReason,
    ToolCallUpdate,
    Usage,
)

from super_agent import __version__
from super_agent.acp import slash_commands, stored_sessions
from super_agent.acp.editor_options import EditorOptions
from super_agent.acp.editor_session import CommandLineOptions, EditorSession
from super_agent.acp.prompt_text import Block, prompt_text
from super_agent.acp.session_updates import META, end_facts
from super_agent.acp.update_outbox import Connection, Outbox
from super_agent.core.errors import ExitCode, SessionUnknown, SuperAgentError, UsageError
from super_agent.core.events import EndReason, RunEnded
from super_agent.core.settings import Settings, load_settings
from super_agent.core.state import new_session_id
from super_agent.core.store.store import Store

PROTOCOL_VERSION = 1
STOP_REASONS: dict[EndReason, StopReason] = {
    "turn_limit": "max_turn_requests",
    "token_limit": "max_tokens",
    "interrupted": "cancelled",
}
"""All others end the editor's turn; `_meta` and the last message say why."""
TOLD_AT_ONCE = 200
"""Events of a stored session that are sent before the editor has read them."""
P = ParamSpec("P")
T = TypeVar("T")


class PermissionClient(Connection, Protocol):
    """The package's connection to the editor."""

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption]
    ) -> RequestPermissionResponse:
        """Ask the person; raises `RequestError` for the editor's error, ConnectionError where it is gone."""


def _translated(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Our errors as the protocol's, with the sentence that a user reads."""

    @wraps(method)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except SuperAgentError as error:
            raise as_request_error(error) from error

    return wrapped


def as_request_error(error: SuperAgentError) -> RequestError:
    """-32002 for an unknown session, -32602 for what the user can correct, -32603 for the rest.

    The data has the sentence too: some clients show its `details` in place of the message.
    """
    unknown, usage = isinstance(error, SessionUnknown), isinstance(error, UsageError)
    code = -32002 if unknown else -32602 if usage else -32603
    data = {"details": str(error), "exit_code": int(error.exit_code), "what": error.what, "fix": error.fix}
    return RequestError(code, str(error), data)


@dataclass(slots=True)
class Agent:
    """What the package calls, by the protocol's names in snake case; a method that is not here does not exist."""

    given: CommandLineOptions
    _editor: PermissionClient | None = None
    _open_sessions: dict[str, EditorSession] = field(default_factory=dict)

    def on_connect(self, editor: PermissionClient) -> None:
        """Called once, before the first message."""
        self._editor = editor

    async def initialize(self, protocol_version: int, **_: Any) -> InitializeResponse:
        """We speak one version; an editor that does not hangs up."""
        return InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_info=Implementation(name="super-agent", title="super-agent", version=__version__),
            agent_capabilities=AgentCapabilities(
                load_session=True,
                prompt_capabilities=PromptCapabilities(embedded_context=True),
                session_capabilities=SessionCapabilities(
                    list=SessionListCapabilities(),
                    resume=SessionResumeCapabilities(),
                    close=SessionCloseCapabilities(),
                ),
            ),
            auth_methods=[],
        )

    @_translated
    async def new_session(
        self, cwd: str, additional_directories: Sequence[str] | None = None, mcp_servers: Sequence[Any] = (), **_: Any
    ) -> NewSessionResponse:
        """Begun in our store with its first prompt, under the id that the editor gets now."""
        _require_one_folder(additional_directories)
        workspace = await asyncio.to_thread(_workspace, cwd, self._settings())
        session = self._open(new_session_id(datetime.now().astimezone()), workspace, self._options())
        self._introduce(session, len(mcp_servers or ()))
        return NewSessionResponse(session_id=session.id, config_options=session.options.offered())

    @_translated
    async def load_session(
        self, cwd: str, session_id: str, additional_directories: Sequence[str] | None = None,
        mcp_servers: Sequence[Any] = (), **_: Any,
    ) -> LoadSessionResponse:  # fmt: skip
        """One of our store, told from its beginning."""
        _require_one_folder(additional_directories)
        session = await self._reopened(session_id, cwd)
        await self._tell(session)
        self._introduce(session, len(mcp_servers or ()))
        return LoadSessionResponse(config_options=session.options.offered())

    @_translated
    async def resume_session(
        self, cwd: str, session_id: str, additional_directories: Sequence[str] | None = None,
        mcp_servers: Sequence[Any] = (), **_: Any,
    ) -> ResumeSessionResponse:  # fmt: skip
        """One of our store, without what it said before."""
        _require_one_folder(additional_directories)
        session = await self._reopened(session_id, cwd)
        self._introduce(session, len(mcp_servers or ()))
        return ResumeSessionResponse(config_options=session.options.offered())

    @_translated
    async def list_sessions(self, cwd: str | None = None, cursor: str | None = None, **_: Any) -> ListSessionsResponse:
        """Those of a folder, or all; a page at a time."""
        folder = Path(cwd).resolve() if cwd is not None else None
        return await asyncio.to_thread(stored_sessions.listed, self._settings(), folder, cursor)

    @_translated
    async def close_session(self, session_id: str, **_: Any) -> CloseSessionResponse:
        """End what runs; the session stays in the store."""
        session = self._known(session_id)
        session.cancel()
        await session.ended()
        del self._open_sessions[session_id]
        return CloseSessionResponse()

    @_translated
    async def set_config_option(
        self, config_id: str, session_id: str, value: str | bool, **_: Any
    ) -> SetSessionConfigOptionResponse:
        """Counts from the next prompt on."""
        session = self._known(session_id)
        session.options.set(config_id, str(value))
        return SetSessionConfigOptionResponse(config_options=session.options.offered())

    @_translated
    async def prompt(self, session_id: str, prompt: Sequence[Block], **_: Any) -> PromptResponse:
        """A slash command, a line to the run under way, or a run to its end."""
        session = self._known(session_id)
        text = prompt_text(prompt)
        if slash_commands.is_command(text):
            try:
                stopped = await slash_commands.carry_out(text, session)
            except UsageError as error:  # the person's slip; clients show an error as a failure of the agent
                stopped = False
                session.say(f"*error:* {error}\n")
            await session.outbox.drained()
            return PromptResponse(stop_reason="cancelled" if stopped else "end_turn")
        if session.busy:
            session.hear(text)
            return PromptResponse(stop_reason="end_turn", field_meta={META: {"typed": True}})
        result = await session.carry_out(text)
        if result.error is not None and result.exit_code != ExitCode.INTERRUPTED:
            raise result.error
        return _response(result.ended)

    async def cancel(self, session_id: str, **_: Any) -> None:
        """A notification: an unknown session has nothing to cancel."""
        if (session := self._open_sessions.get(session_id)) is not None:
            session.cancel()

    async def end(self, timeout_s: float) -> bool:
        """End all runs, for whatever reason; whether they have ended within the time."""
        for session in self._open_sessions.values():
            session.cancel()
        try:
            async with asyncio.timeout(timeout_s):
                for session in self._open_sessions.values():
                    await session.ended()
        except TimeoutError:
            return False
        return True

    # ── inside ──

    def _settings(self) -> Settings:
        return load_settings(self.given.flags, env_file=self.given.env_file)

    def _options(self) -> EditorOptions:
        check = self.given.check
        return EditorOptions(check, "solo" if self.given.solo else "team", checks=[check] if check else [])

    def _known(self, session_id: str) -> EditorSession:
        if (session := self._open_sessions.get(session_id)) is None:
            raise SessionUnknown(
                f"session {session_id!r} is not open here", fix="Open it by session/new or session/load"
            )
        return session

    def _open(self, session_id: str, workspace: Path, options: EditorOptions) -> EditorSession:
        editor = self._editor
        if editor is None:
            raise RuntimeError("a session was opened before the connection")

        async def request(call: ToolCallUpdate, choices: list[PermissionOption]) -> RequestPermissionResponse:
            return await editor.request_permission(session_id, call, choices)

        outbox = Outbox(editor, session_id)
        session = EditorSession(session_id, workspace, self.given, options, outbox, request)
        self._open_sessions[session_id] = session
        return session

    async def _reopened(self, session_id: str, cwd: str) -> EditorSession:
        if (known := self._open_sessions.get(session_id)) is not None and known.busy:
            raise UsageError(f"session {session_id} is at work", fix="Wait for it, or cancel it")
        settings = self._settings()
        with Store.open(settings.state_dir) as store:
            past = stored_sessions.found(store, session_id)
        if Path(cwd).resolve() != Path(past.row.workspace):
            raise UsageError(
                f"session {session_id} works in {past.row.workspace}, not in {cwd}",
                fix="Open that folder, and load it there",
            )
        options = self._options()
        options.mode, options.begun = past.mode, True
        if past.check is not None:
            options.add_check(past.check)
        else:
            options.check = None
        return self._open(session_id, await asyncio.to_thread(_workspace, cwd, settings), options)

    async def _tell(self, session: EditorSession) -> None:
        translator = session.translator(again=True)
        with Store.open(self._settings().state_dir) as store:
            for number, stamped in enumerate(store.events(session.id), 1):
                session.outbox.post(translator.updates(stamped.event))
                if number % TOLD_AT_ONCE == 0:
                    await session.outbox.drained()
        session.outbox.post(translator.calls.unfinished())
        await session.outbox.drained()

    def _introduce(self, session: EditorSession, servers: int) -> None:
        """What is told once the editor knows the session: its commands, and what of its wishes is not met."""
        session.outbox.post([slash_commands.offered()])
        if servers:
            session.say(f"*info:* the editor's {servers} MCP servers are not used by super-agent\n")


def _require_one_folder(others: Sequence[str] | None) -> None:
    if others:
        raise UsageError("a session works in one folder, and more were given", fix="Open one folder")


def _workspace(cwd: str, settings: Settings) -> Path:
    """Raises `UsageError` where it cannot be worked in."""
    from super_agent.core.files.workspace import Workspace
    from super_agent.session.protected_folders import protected_folders

    if not Path(cwd).is_absolute():
        raise UsageError(f"the folder {cwd!r} is not absolute", fix="Give its whole path")
    with Workspace(Path(cwd), protected=protected_folders(settings)) as workspace:
        return workspace.root


def _response(ended: RunEnded) -> PromptResponse:
    """The end of a run: what the editor understands of it, and all of it for those who look."""
    sent = sum(usage.prompt_tokens for usage in ended.usage)
    written = sum(usage.completion_tokens for usage in ended.usage)
    known = [usage for usage in ended.usage if usage.evaluated_tokens is not None]
    reused = sum(max(0, usage.prompt_tokens - (usage.evaluated_tokens or 0)) for usage in known)
    return PromptResponse(
        stop_reason=STOP_REASONS.get(ended.reason, "end_turn"),
        usage=Usage(
            total_tokens=sent + written, input_tokens=sent, output_tokens=written,
            cached_read_tokens=reused if known else None,
        ),
        field_meta={META: end_facts(ended)},
    )  # fmt: skip
