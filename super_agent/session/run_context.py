"""What a run has from its first moment to its last: the context before the server is asked, the model session after."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from interpreter.approval import Approver
from interpreter.code_output import OutputRecorder
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.tool_calls import ToolAccess
from super_agent.core.events import (
    Emit,
    EventStream,
    Notice,
    Sink,
)
from super_agent.core.files.folders import WorkspaceState
from super_agent.core.files.workspace import Workspace
from super_agent.core.instance.instance_watch import InstanceWatch, ReadyModel, RunMiddleware
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import Settings
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.state import SessionFolder, new_session_id
from super_agent.core.store.store import Store
from super_agent.session.file_change_journal import Journal
from super_agent.session.protected_folders import protected_folders
from super_agent.session.sandbox_policy import settle_sandbox


@dataclass(slots=True)
class RunContext:
    """What exists before the server is asked: settings, workspace, sandbox policy, event stream."""

    settings: Settings
    workspace: Workspace
    session: SessionFolder
    stream: EventStream
    policy: SandboxPolicy
    before: WorkspaceState
    stack: ExitStack
    store: Store | None = None
    approver: Approver | None = None
    journal: Journal | None = None
    tools: ToolAccess | None = None
    """What the executor has beside code."""
    snapshots: Snapshots | None = None
    """Those of the workspace, for the run to go back to; None where the user wants none."""

    @property
    def emit(self) -> Emit:
        """Where every part sends its events."""
        return self.stream.emit

    def tell(self, text: str) -> None:
        """Say something to the person, as an event."""
        self.emit(Notice("info", text))

    @property
    def recorder(self) -> OutputRecorder:
        """Where code runs before the user's eyes."""
        return OutputRecorder(self.emit, self.session.outputs(), self.settings.max_output_bytes)

    def files_changed(self) -> tuple[str, ...]:
        """What differs from the start of the run, whoever changed it."""
        return self.workspace.changes_since(self.before).paths


@dataclass(slots=True)
class ModelSession:
    """What both halves share: the server, the model made ready, the middleware with its counters and watch."""

    server: Ollama
    ready: ReadyModel
    counting: CountingMiddleware
    watch: InstanceWatch
    middleware: RunMiddleware
    queue: RunQueue

    def at_turn_start(self) -> None:
        """A good moment to let other runs in, and for a look at the instance."""
        self.queue.turn_ended()
        self.watch.observe()


@contextmanager
def open_context(
    settings: Settings, folder: Path, python: Path | None, sinks: tuple[Sink, ...], session_id: str | None = None
) -> Iterator[RunContext]:
    """Open the workspace and settle the sandbox, for a new session or the one of `session_id`.

    Raises `WorkspaceRefused`, `SandboxUnavailable`, `UsageError`.
    """
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(settings.state_dir)) if settings.store == "on" else None
        workspace = Workspace(folder, protected=protected_folders(settings))
        stack.callback(workspace.close)
        session = SessionFolder(settings.state_dir, session_id or new_session_id(datetime.now().astimezone()))
        stream = EventStream(session.session, sinks)
        policy = settle_sandbox(settings, workspace.root, python, lambda text: stream.emit(Notice("info", text)))
        yield RunContext(settings, workspace, session, stream, policy, workspace.state(), stack, store)
