"""The parts of a run that is about to work: the model made ready, the executor, the check; and what works with them."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from interpreter.check import Check
from interpreter.conversation import Conversation
from interpreter.engine.engine import Engine
from interpreter.engine.environment import ensure_engine_python
from interpreter.executor import Executor, ExecutorLimits
from interpreter.ollama_adapter import OllamaAdapter
from interpreter.roles import head
from interpreter.sandbox.protocol import Runner
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.cancellation import Cancellation
from super_agent.core.client_kind import ClientKind
from super_agent.core.edits.editor import Editor
from super_agent.core.events import (
    EndReason,
    EngineRestarted,
)
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.instance_watch import InstanceWatch, RunMiddleware, make_ready
from super_agent.core.instance.server_observation import parallel_slots
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import Settings
from super_agent.session.run_context import ModelSession, RunContext
from super_agent.session.run_state import Restored, WorkState

Boundary = Callable[[int, WorkState], None]
"""Told the number of complete turns and the state to go on from."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the team, or the executor alone, is given to work on and with; `restored` is where it had stood.

    `user_lines` gives what the user said since its last call, `project` is what models are told of the project.
    """

    context: RunContext
    model_session: ModelSession
    task: str
    check: str | None
    user_lines: Callable[[], Sequence[str]]
    boundary: Boundary
    restored: Restored | None
    project: str


@dataclass(slots=True)
class RunHandle:
    """Work under way: how to start it, how to stop it from the event loop, how many turns it has had."""

    start: Callable[[], Awaitable[tuple[EndReason, str]]]
    stop: Callable[[EndReason, str], None]
    turns: Callable[[], int]


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
    queue = RunQueue(settings, weights or settings.model, label, emit, lambda: parallel_slots(settings, weights))
    context.stack.callback(queue.close)
    return ModelSession(server, ready, counting, watch, RunMiddleware(counting, watch, emit, queue=queue), queue)


def spare_slots(settings: Settings, model_session: ModelSession) -> int:
    """How many requests the server takes beside one of this run; none while other runs use the model.

    Without a GPU only where the user names the slots: on two cores eight attempts took 20 s two at once, and 14 s one
    after the other (Qwen2.5-Coder 1.5B).
    """
    loaded = model_session.ready.loaded
    in_graphics_memory = 0 < loaded.size <= loaded.size_vram
    if not (in_graphics_memory or settings.slots) or not model_session.queue.alone():
        return 0
    return parallel_slots(settings, model_session.ready.details.weights) - 1


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
    engine = Engine(ensure_engine_python(context.tell), lambda reason: emit(EngineRestarted(reason)))
    stack.callback(engine.close)
    runners: dict[str, Runner] = {"python": PythonRunner(context.policy), "shell": ShellRunner(context.policy)}
    for runner in runners.values():
        stack.callback(runner.close)
    limits = ExecutorLimits(settings.max_rounds, settings.code_timeout_s, settings.max_time_s)
    editor = Editor(context.workspace, context.emit, context.session.save_original)
    executor = Executor(
        adapter, engine, runners, context.workspace, context.recorder, limits, context.approver, editor, context.tools
    )
    network = context.policy.network or not context.policy.contained
    tools = context.tools.box.describe(executor.allocation.tools) if context.tools is not None else ""
    executor.conversation = Conversation(head(network=network, tools=tools), network=network, tools=tools)
    if restored is not None:
        executor.restore(replace(restored.conversation, network=network, tools=tools))
    return executor


def build_check(context: RunContext, command: str | None) -> Check | None:
    """The check, or None where the user gave none."""
    if command is None:
        return None
    return Check(command, context.policy, context.recorder, timeout_s=context.settings.check_timeout_s)
