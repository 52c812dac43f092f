"""One session in the editor: its prompts one after the other, each a run, or a run that goes on."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from acp.schema import (
    AgentMessageChunk,
    PermissionOption,
    RequestPermissionResponse,
    TextContentBlock,
    ToolCallStart,
    ToolCallUpdate,
)

from interpreter.approval import Approver
from super_agent.acp.editor_options import EditorOptions
from super_agent.acp.permission_requests import AGREE, AskEditor, EditorApprover, PermissionQuestion
from super_agent.acp.session_updates import SessionUpdates
from super_agent.acp.update_outbox import Outbox
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SessionUnknown
from super_agent.core.events import Stamped
from super_agent.core.settings import Settings, load_settings
from super_agent.core.store.store import Store
from super_agent.core.threads import start_in_thread
from super_agent.session.run_options import ApprovalContext, Door, ResumeOptions, RunOptions, RunResult

LIMITS = ("max_turns", "max_time_s", "max_tokens")
"""Of a run; one that goes on has its own, which count on."""


@dataclass(frozen=True, slots=True)
class CommandLineOptions:
    """What the command line said; `flags` are settings by name."""

    flags: Mapping[str, Any]
    env_file: Path | None = None
    check: str | None = None
    solo: bool = False
    python: Path | None = None
    strict_instance: bool = False


@dataclass(slots=True)
class EditorSession:
    """`id` is the session's in our store too, so that the terminal can go on with it."""

    id: str
    workspace: Path
    given: CommandLineOptions
    options: EditorOptions
    outbox: Outbox
    request: AskEditor
    commands: Cancellation = field(default_factory=Cancellation)
    """Of the slash commands under way."""
    _run: "_PromptRun | None" = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._run is not None

    def say(self, text: str) -> None:
        """Tell the person something."""
        content = TextContentBlock(type="text", text=text)
        self.outbox.post([AgentMessageChunk(session_update="agent_message_chunk", content=content)])

    def hear(self, line: str) -> None:
        """A line typed during the run: the team has it at its next turn."""
        if self._run is not None:
            self._run.lines.append(line)

    def cancel(self) -> None:
        """End the run and the slash commands under way, if any; returns at once."""
        commands, self.commands = self.commands, Cancellation()
        commands.cancel()
        if self._run is not None:
            self._run.cancellation.cancel()

    def name(self) -> str:
        """One that no other run of this process has had in the session."""
        return f"r{next(self._numbers)}"

    def translator(self, *, again: bool = False) -> SessionUpdates:
        """For the next run, or a look back."""
        return SessionUpdates.of(self.workspace, self.name(), again=again)

    async def carry_out(self, text: str) -> RunResult:
        """Have a task, or what is to be done next, done to its end; raises `SuperAgentError` where it cannot begin."""
        run = self._run = _PromptRun(self, self.translator(), asyncio.get_running_loop())
        try:
            while True:
                result = await start_in_thread(partial(run.work, text), f"run {self.id}")
                self.options.begun = True
                lines = run.take_lines()
                if not lines or result.error is not None or run.cancellation.cancelled:
                    return result
                text = "\n\n".join(lines)  # said too late for the last turn
        finally:
            self._run = None
            await self.outbox.drained()

    async def ended(self) -> None:
        """Until nothing runs any more."""
        while self._run is not None:
            await asyncio.sleep(0.02)

    def settings(self, *, goes_on: bool = False) -> dict[str, Any]:
        """What the person set, by the names of settings."""
        flags = {name: value for name, value in self.given.flags.items() if not (goes_on and name in LIMITS)}
        if self.options.approve is not None:
            flags["approve"] = self.options.approve
        if self.options.turns is not None and not goes_on:
            flags["max_turns"] = self.options.turns
        return flags


@dataclass(slots=True)
class _PromptRun:
    """One run and its door; `work` is called in a thread, and so is all that the run calls."""

    session: EditorSession
    translator: SessionUpdates
    loop: asyncio.AbstractEventLoop
    lines: deque[str] = field(default_factory=deque)
    cancellation: Cancellation = field(default_factory=Cancellation)

    def work(self, text: str) -> RunResult:
        """Begin the run, or go on with it; raises `SuperAgentError`."""
        session, given, options = self.session, self.session.given, self.session.options
        settings = load_settings(session.settings(), env_file=given.env_file)
        if settings.store == "on" and is_stored(settings, session.id):
            from super_agent.session.resume import open_resumption

            more = ResumeOptions(
                session.id, session.workspace, text, options.turns, given.strict_instance,
                check=options.check or "",
            )  # fmt: skip
            with open_resumption(more, session.settings(goes_on=True), given.env_file) as resumption:
                return resumption.run(self._door())
        from super_agent.session.run import run

        asked = RunOptions(
            text, session.workspace, options.mode, options.check, python=given.python,
            strict_instance=given.strict_instance, session=session.id,
        )  # fmt: skip
        return run(asked, settings, self._door())

    def take_lines(self) -> Sequence[str]:
        """What was typed since the last call."""
        taken = []
        while self.lines:
            taken.append(self.lines.popleft())
        return taken

    def _door(self) -> Door:
        return Door((self._see,), self.take_lines, self._confirm, self._approver, self.cancellation)

    def _see(self, stamped: Stamped) -> None:
        self.session.outbox.post(list(self.translator.updates(stamped.event)))

    def _approver(self, _context: ApprovalContext) -> Approver:
        return EditorApprover(PermissionQuestion(self._ask, self.loop), lambda: self.translator.calls.pending)

    def _confirm(self, question: str) -> bool:
        name = self.session.name()
        asked = PermissionQuestion(self._ask, self.loop)
        self.session.outbox.post(
            [
                ToolCallStart(
                    session_update="tool_call", tool_call_id=name, title=question, kind="other", status="pending"
                )
            ]
        )
        agreed = asked.answer(ToolCallUpdate(tool_call_id=name), AGREE, self.cancellation) == "yes"
        end = ToolCallStart(
            session_update="tool_call", tool_call_id=name, title=question, kind="other",
            status="completed" if agreed else "failed",
        )  # fmt: skip
        self.session.outbox.post([end])
        return agreed

    async def _ask(self, call: ToolCallUpdate, options: list[PermissionOption]) -> RequestPermissionResponse:
        await self.session.outbox.drained()  # the editor has seen what it asks about
        return await self.session.request(call, options)


def is_stored(settings: Settings, session: str) -> bool:
    """Whether a run of this session was begun; raises `StoreUnusable`, `StoreFailed`."""
    with Store.open(settings.state_dir) as store:
        try:
            return store.find(session).id == session
        except SessionUnknown:
            return False
