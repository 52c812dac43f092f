"""An editor: the package's own client side, with a real `super-agent acp` as its agent."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acp.client.connection import ClientSideConnection
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    TextContentBlock,
    ToolCallUpdate,
)
from acp.stdio import spawn_agent_process

from tests.cli.conftest import CHECKOUT, environment

PATIENCE_S = 60.0
Answer = Callable[["Editor", ToolCallUpdate], str | None]


@dataclass
class Editor:
    """What an editor sees, and how its person answers: with the id of an option, or None for a dismissal."""

    answer: Answer = lambda _editor, _call: "run"
    updates: list[Any] = field(default_factory=list)
    asked: list[tuple[ToolCallUpdate, list[PermissionOption]]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    agent: ClientSideConnection = None  # type: ignore[assignment]
    process: asyncio.subprocess.Process = None  # type: ignore[assignment]

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self.updates.append(update)
        self.changed.set()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        self.asked.append((tool_call, options))
        self.changed.set()
        choice = self.answer(self, tool_call)
        if choice == "wait":
            await asyncio.sleep(PATIENCE_S)
        if choice is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=choice))

    async def new(self, workspace: Path) -> str:
        """A new session's id."""
        return (await self.agent.new_session(cwd=str(workspace), mcp_servers=[])).session_id

    async def say(self, session: str, text: str, timeout_s: float = PATIENCE_S) -> Any:
        """Prompt, and wait for the end."""
        prompt = self.agent.prompt(session_id=session, prompt=[TextContentBlock(type="text", text=text)])
        try:
            return await asyncio.wait_for(prompt, timeout_s)
        except TimeoutError:
            raise TimeoutError(f"no end in {timeout_s:g} s; last: {self.updates[-3:]}") from None

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something to be seen; raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                self.changed.clear()
                await self.changed.wait()

    def of(self, kind: str) -> list[Any]:
        """The updates of one kind, such as `tool_call`."""
        return [update for update in self.updates if update.session_update == kind]

    def text(self, kind: str = "agent_message_chunk") -> str:
        """All text of one kind of chunk."""
        return "".join(update.content.text for update in self.of(kind))

    def calls(self) -> dict[str, dict[str, Any]]:
        """Each tool call as it stands after its updates, by its title."""
        calls: dict[str, dict[str, Any]] = {}
        for update in self.updates:
            if update.session_update in ("tool_call", "tool_call_update"):
                calls.setdefault(update.tool_call_id, {}).update(update.model_dump(exclude_none=True))
        return {call["title"]: call for call in calls.values()}


def output_of(call: dict[str, Any]) -> str:
    """The text of a tool call's content."""
    return "\n".join(part["content"]["text"] for part in call["content"] if part["type"] == "content")


@asynccontextmanager
async def opened(
    tmp_path: Path, *arguments: str, environ: dict[str, str] | None = None, **how: Any
) -> AsyncIterator[Editor]:
    """An editor with the agent started and initialized, with the environment of the `super_agent` fixture."""
    editor = Editor(**how)
    command = (sys.executable, "-m", "super_agent.cli.main", "acp", *arguments)
    errors = open(tmp_path / "stderr.txt", "ab")  # noqa: SIM115
    with errors:
        async with spawn_agent_process(
            editor,  # type: ignore[arg-type]
            *command,
            env=environment(tmp_path) | (environ or {}),
            cwd=CHECKOUT,
            transport_kwargs={"stderr": errors, "limit": 50_000_000, "shutdown_timeout": 15.0},
            use_unstable_protocol=True,
        ) as (editor.agent, editor.process):
            await asyncio.wait_for(editor.agent.initialize(protocol_version=1), PATIENCE_S)
            yield editor
