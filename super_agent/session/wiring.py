"""Everything a run is built from, made in order and closed in reverse by its one owner."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from interpreter.approval import Approver
from interpreter.check import Check
from interpreter.code_output import OutputRecorder
from interpreter.conversation import Conversation
from interpreter.engine.engine import Engine
from interpreter.engine.environment import ensure_engine_python, ensure_sandbox_python
from interpreter.executor import Executor, Limits
from interpreter.ollama_adapter import OllamaAdapter
from interpreter.roles import head
from interpreter.sandbox.bubblewrap.arguments import require_bubblewrap
from interpreter.sandbox.command import Command, find_program
from interpreter.sandbox.container.support import IMAGE_PYTHON, ready_container, unused_environment
from interpreter.sandbox.programs import folders_for, program_of
from interpreter.sandbox.protocol import Runner, SandboxPolicy
from interpreter.sandbox.python_choice import choose_python
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.cancellation import Cancellation
from super_agent.core.client_kind import ClientKind
from super_agent.core.edits.editor import Editor
from super_agent.core.errors import CheckNotFound, SettingInvalid, UsageError
from super_agent.core.events import (
    ClientUsage,
    Emit,
    EndReason,
    EngineRestarted,
    Event,
    EventStream,
    Notice,
    RunEnded,
    RunStarted,
    Sink,
)
from super_agent.core.files.folders import State
from super_agent.core.files.workspace import Workspace
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.watch import InstanceWatch, Ready, RunMiddleware, make_ready
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import Ollama
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import Settings, variables_in
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.state import SessionFolder, new_session_id
from super_agent.core.store.store import Store
from super_agent.session.journal import Journal
from super_agent.session.own_folders import own_folders
from super_agent.session.run_state import WorkState

# Where Debian's Python lacks ensurepip, an environment without pip is still one that a setup command can use.
MAKE_VENV = "python -m venv .venv 2>/dev/null || python -m venv --clear --without-pip .venv"
MIB = 1024 * 1024


@dataclass(slots=True)
class RunContext:
    """What exists before the server is asked: settings, workspace, sandbox policy, event stream."""

    settings: Settings
    workspace: Workspace
    session: SessionFolder
    stream: EventStream
    policy: SandboxPolicy
    before: State
    stack: ExitStack
    store: Store | None = None
    approver: Approver | None = None
    journal: Journal | None = None
    snapshots: Snapshots | None = None
    """Those of the workspace, for the run to go back to; None where the user wants none."""

    @property
    def emit(self) -> Emit:
        """Where every part sends its events."""
        return self.stream.emit

    @property
    def stage(self) -> OutputRecorder:
        """Where code runs before the user's eyes."""
        return OutputRecorder(self.emit, self.session.outputs(), self.settings.max_output_bytes)

    def files_changed(self) -> tuple[str, ...]:
        """What differs from the start of the run, whoever changed it."""
        return self.workspace.changes_since(self.before).paths


@dataclass(slots=True)
class ModelSession:
    """What both halves share: the server, the model made ready, the middleware with its counters and watch."""

    server: Ollama
    ready: Ready
    counting: CountingMiddleware
    watch: InstanceWatch
    middleware: RunMiddleware
    queue: RunQueue

    def at_turn_start(self) -> None:
        """A good moment to let other runs in, and for a look at the instance."""
        self.queue.turn_ended()
        self.watch.look()


@contextmanager
def open_context(
    settings: Settings, folder: Path, python: Path | None, sinks: tuple[Sink, ...], session_id: str | None = None
) -> Iterator[RunContext]:
    """Open the workspace and settle the sandbox, for a new session or the one of `session_id`.

    Raises `WorkspaceRefused`, `SandboxUnavailable`, `UsageError`.
    """
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(settings.state_dir)) if settings.store == "on" else None
        workspace = Workspace(folder, protected=own_folders(settings))
        stack.callback(workspace.close)
        session = SessionFolder(settings.state_dir, session_id or new_session_id(datetime.now().astimezone()))
        stream = EventStream(session.session, sinks)
        policy = settle_sandbox(settings, workspace.root, python, _progress(stream))
        yield RunContext(settings, workspace, session, stream, policy, workspace.state(), stack, store)


def settle_sandbox(
    settings: Settings, workspace: Path, python: Path | None, tell: Callable[[str], None]
) -> SandboxPolicy:
    """What code may do, in a sandbox that works here; `python` is the user's --python.

    Raises `SandboxUnavailable`, `SettingInvalid`.
    """
    if settings.sandbox in ("docker", "podman"):
        if python is not None:
            raise SettingInvalid(
                f"--python {python} cannot be used with --sandbox {settings.sandbox}, where Python is the image's",
                fix="Name an image that has the one you need in SUPER_AGENT_SANDBOX_IMAGE",
            )
        return ready_container(policy_from(settings, workspace, IMAGE_PYTHON))
    if settings.sandbox == "bubblewrap":
        require_bubblewrap()
    return policy_from(settings, workspace, choose_python(workspace, lambda: ensure_sandbox_python(tell), python))


def policy_from(settings: Settings, workspace: Path, python: Path) -> SandboxPolicy:
    """What code may do under the user's settings; raises `SandboxUnavailable`."""
    return SandboxPolicy(
        workspace=workspace,
        python=python,
        readonly_paths=settings.sandbox_paths,
        network=settings.network,
        contained=settings.sandbox != "none",
        engine=settings.sandbox if settings.sandbox in ("docker", "podman") else None,
        image=settings.sandbox_image,
        max_memory_bytes=settings.sandbox_memory_mb * MIB,
        max_processes=settings.sandbox_processes,
        max_disk_growth_bytes=settings.sandbox_disk_mb * MIB,
        min_free_disk_bytes=settings.sandbox_free_disk_mb * MIB,
    )


def started(context: RunContext, task: str, mode: Literal["team", "solo", "exec"], check: str | None) -> RunStarted:
    """The facts of a run, as its first event."""
    settings = context.settings
    return RunStarted(
        task=task,
        mode=mode,
        workspace=str(context.workspace.root),
        model=settings.model,
        base_url=settings.base_url,
        check=check,
        sandbox=settings.sandbox,
        limits=limits(settings),
        network=settings.network,
    )


def limits(settings: Settings) -> dict[str, float | None]:
    """Of a run: turns, seconds and tokens; None is no limit."""
    return {"turns": settings.max_turns, "seconds": settings.max_time_s, "tokens": settings.max_tokens}


def ended(
    context: RunContext,
    model_session: ModelSession | None,
    reason: EndReason,
    exit_code: int,
    detail: str,
    turns: int,
    duration_s: float,
) -> RunEnded:
    """What came of a run and what it cost, as its last event."""
    totals = model_session.counting.totals if model_session else {}
    return RunEnded(
        reason=reason,
        exit_code=exit_code,
        detail=detail,
        turns=turns,
        duration_s=round(duration_s, 3),
        files_changed=context.files_changed(),
        usage=tuple(
            ClientUsage(
                kind,
                t.requests,
                t.prompt_tokens,
                t.completion_tokens,
                t.evaluated_tokens,
                t.measured,
                None if t.prompt_s is None else round(t.prompt_s, 3),
            )
            for kind, t in sorted(totals.items())
        ),
        instance={str(kind): count for kind, count in model_session.watch.counts.items()} if model_session else {},
    )


def announce(context: RunContext) -> None:
    """What a user should know before anything runs."""
    if not context.policy.contained:
        context.emit(Notice("warning", "--sandbox none: model-written code runs with your own rights, unprotected"))
    elif context.policy.network:
        context.emit(Notice("warning", "--network: sandboxed code has the internet and the servers on this machine"))
    if unused := unused_environment(context.policy):
        context.emit(
            Notice("warning", unused, "Make it anew with --setup, or choose another SUPER_AGENT_SANDBOX_IMAGE")
        )
    if note := context.policy.reach.git.note:
        context.emit(Notice("info", note))
    planted = context.workspace.root / ".env"
    if names := variables_in(planted):
        context.emit(Notice("info", f"{planted} sets {', '.join(names)} and is not read", f"Use --env-file {planted}"))


def require_program(context: RunContext, command: str) -> None:
    """Raise `CheckNotFound` where the check's program does not exist inside the sandbox."""
    found = find_program(context.policy, command)
    if found == "missing":
        raise CheckNotFound(f"the check `{command}` names a program that does not exist", fix="Correct --check")
    if found == "hidden":
        word = program_of(command)
        program = shutil.which(word) or word
        if context.policy.engine is not None:
            raise CheckNotFound(
                f"the program of the check `{command}` is {program}, which is not in the image {context.policy.image}",
                fix="Name an image that has it in SUPER_AGENT_SANDBOX_IMAGE",
            )
        folders = folders_for(word, context.policy.python_prefixes, Path.home())
        allowed = ":".join(map(str, (*context.policy.readonly_paths, *folders)))
        raise CheckNotFound(
            f"the program of the check `{command}` is {program}, which the sandbox does not show",
            fix=f"Allow it: SUPER_AGENT_SANDBOX_PATHS={allowed}",
        )


def run_setup(context: RunContext, command: str, confirm: Callable[[str], bool]) -> None:
    """Run the setup command once, with the network, in the workspace's `.venv`, which is made where there is none.

    What it installs is what check and executor use from then on. Raises `UsageError` where it is refused or fails.
    """
    question = f"Run `{command}` in the sandbox with the network (the internet, and servers on this machine)?"
    if not confirm(question):
        raise UsageError(
            f"the setup command `{command}` was not confirmed", fix="Say --yes to run it without a question"
        )
    own = context.workspace.root / ".venv" / "bin" / "python"
    if not own.exists() and context.policy.python != own:
        _set_up(context, context.policy, MAKE_VENV)
    # Chosen before model-written code runs, as it must be: so far only the user's own command did.
    if context.policy.engine is not None:
        context.policy = ready_container(context.policy)
        if unused := unused_environment(context.policy):
            raise UsageError(unused, fix="Move it away, so that --setup makes one from the image's Python")
    else:
        chosen = choose_python(context.workspace.root, lambda: own)
        context.policy = replace(context.policy, python=chosen, python_prefixes=())
    _set_up(context, replace(context.policy, network=True), command)


def _set_up(context: RunContext, policy: SandboxPolicy, text: str) -> None:
    command = Command(policy)
    timeout_s = context.settings.check_timeout_s
    try:
        outcome, output = context.stage.run("setup", "shell", text, lambda out: command.run(text, out, timeout_s))
    finally:
        command.close()
    if outcome.kind != "finished":
        last = output.strip().splitlines()[-1:] or ["it printed nothing"]
        how = outcome.kind.replace("_", " ")
        raise UsageError(f"the setup command `{text}` {how}: {last[0]}", fix="Correct --setup")


def open_model_session(context: RunContext, cancellation: Cancellation, *, strict: bool) -> ModelSession:
    """Make the model ready and build the one middleware that both clients pass.

    Raises `ServerError`, and `Interrupted` where it is cancelled meanwhile: loading a model can take minutes.
    """
    settings, emit = context.settings, context.emit
    server = Ollama(settings)
    context.stack.callback(server.close)
    forget = cancellation.on_cancel(server.cancel)
    try:
        ready = make_ready(server, settings, emit)
    finally:
        forget()
    watch = InstanceWatch(server, settings, emit, strict=strict)
    watch.begin(ready)
    counting = CountingMiddleware(settings.max_tokens)
    weights = ready.details.weights
    label = f"run {context.session.session} (pid {os.getpid()})"
    queue = RunQueue(settings, weights or settings.model, label, emit, lambda: slots(settings, weights))
    context.stack.callback(queue.close)
    return ModelSession(server, ready, counting, watch, RunMiddleware(counting, watch, emit, queue=queue), queue)


def slots(settings: Settings, weights: str) -> int:
    """How many runs may use the model at once; a server whose setting cannot be seen has one slot by default."""
    return settings.slots or processes.slots(settings.base_url, weights) or 1


def register(context: RunContext, model_session: ModelSession, kind: ClientKind) -> None:
    """Make one client visible to `super-agent ps` until the run ends."""
    lock = model_session.middleware.registered[kind] = ClientLock(context.settings, kind)
    context.stack.callback(lock.close)


def build_executor(context: RunContext, model_session: ModelSession, restored: WorkState | None = None) -> Executor:
    """The executor with all its parts, and its conversation as `restored`; its processes start when needed."""
    settings, emit, stack = context.settings, context.emit, context.stack
    register(context, model_session, "open-interpreter")
    adapter = OllamaAdapter(settings, model_session.middleware, model_session.ready.loaded.context_length, emit=emit)
    stack.callback(adapter.close)
    engine = Engine(ensure_engine_python(_progress(context.stream)), lambda reason: emit(EngineRestarted(reason)))
    stack.callback(engine.close)
    runners: dict[str, Runner] = {"python": PythonRunner(context.policy), "shell": ShellRunner(context.policy)}
    for runner in runners.values():
        stack.callback(runner.close)
    limits = Limits(settings.max_rounds, settings.code_timeout_s, settings.max_time_s)
    editor = Editor(context.workspace, context.emit, context.session.save_original)
    executor = Executor(adapter, engine, runners, context.workspace, context.stage, limits, context.approver, editor)
    network = context.policy.network or not context.policy.contained
    executor.conversation = Conversation(head(network=network), network=network)
    if restored is not None:
        conversation = Conversation.from_json(restored.conversation)
        conversation.network = network
        executor.restore(conversation)
    return executor


def build_check(context: RunContext, command: str | None) -> Check | None:
    """The check, or None where the user gave none."""
    if command is None:
        return None
    return Check(command, context.policy, context.stage, timeout_s=context.settings.check_timeout_s)


def _progress(stream: EventStream) -> Callable[[str], None]:
    def tell(text: str) -> None:
        event: Event = Notice("info", text)
        stream.emit(event)

    return tell
