"""A conversation with the executor: one instruction after the other, until the door has had enough."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from interpreter.executor import Executor
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import ExitCode, Interrupted, SuperAgentError
from super_agent.core.events import EndReason, Notice, Sink, TurnStarted
from super_agent.core.settings import Settings
from super_agent.core.state import SessionFolder
from super_agent.session import run_assembly, run_events
from super_agent.session.mcp_servers import open_tools
from super_agent.session.project_instructions import instructions_text, trusted_instructions
from super_agent.session.remote_steering import steerable
from super_agent.session.run_approver import require_approval
from super_agent.session.run_context import ModelSession, RunContext, open_context
from super_agent.session.run_options import Door, RunOptions, nothing
from super_agent.session.run_persistence import RunPersistence
from super_agent.session.session_lookup import CONVERSATION
from super_agent.tools.listed import require_listed


@dataclass(slots=True)
class Chat:
    """Open until its `with` block is left; its owner calls `say` from one thread."""

    context: RunContext
    model_session: ModelSession
    record: RunPersistence
    executor: Executor
    door: Door
    project: str = ""
    """What the first instruction is told of the project beside its files."""
    turns: int = 0
    _cancellation: Cancellation = field(default_factory=Cancellation)
    """Of the action under way."""

    def take_lines(self) -> Sequence[str]:
        """Instructions that were said elsewhere since the last call, oldest first."""
        return self.door.take_lines()

    @property
    def session(self) -> SessionFolder:
        """Where it is kept."""
        return self.context.session

    def tell(self, text: str) -> None:
        """Say something to the person, as an event."""
        self.context.tell(text)

    def say(self, instruction: str) -> None:
        """Have one instruction carried out; what goes wrong is told as an event and the conversation goes on."""
        self.turns += 1
        self.context.emit(TurnStarted(self.turns))
        cancellation = self._cancellation = Cancellation()
        try:
            with self.door.cancellation.ending(cancellation.cancel):
                self.executor.carry_out("\n\n".join(filter(None, (instruction, self.project))), cancellation)
            self.project = ""
        except Interrupted:
            self.context.emit(Notice("warning", "interrupted; the conversation goes on"))
        except SuperAgentError as error:
            self.context.emit(Notice("error", error.what, error.fix))
        self.record.snapshot(str(self.turns))
        self.model_session.at_turn_start()

    def cancel(self) -> None:
        """End the action under way, from any thread or a signal handler; the conversation goes on."""
        self._cancellation.cancel()

    def end(self, duration_s: float, own: tuple[Sink, ...]) -> None:
        """Not told to the door's `own` sinks: the person needs no summary; store and pages do."""
        if self.record.recorder is not None:
            sinks = self.context.stream.sinks
            self.context.stream.sinks = tuple(sink for sink in sinks if sink not in own)
            stopped = self.door.cancellation.cancelled
            reason: EndReason = "interrupted" if stopped else "finished"
            code = int(ExitCode.INTERRUPTED if stopped else ExitCode.OK)
            self.context.emit(
                run_events.ended(self.context, self.model_session, reason, code, "", self.turns, duration_s)
            )


@contextmanager
def open_chat(
    options: RunOptions, settings: Settings, door: Door, heard: Callable[[], None] = nothing
) -> Iterator[Chat]:
    """In `options.workspace`, whose task is not looked at; raises `SuperAgentError` where it cannot begin.

    The door's cancellation ends the action under way and with it, as it stays cancelled, whatever is said later; so
    does a stop through the conversation's socket. `heard` is called, in another thread, when a line came there.
    """
    require_listed(settings)
    with open_context(settings, options.workspace, options.python, door.sinks) as context:
        began = time.monotonic()
        started = run_events.started(context, CONVERSATION, "exec", None)
        record = RunPersistence.begin(context, started, is_conversation=True)
        steered = steerable(record, door, heard)
        run_events.announce(context)
        trusted = trusted_instructions(context, "", door.answer)
        model_session = run_assembly.open_model_session(context, door.cancellation, strict=options.strict_instance)
        approver = require_approval(context, steered.approver, lambda: conversation.cancel())
        open_tools(context, steered, approver)
        executor = run_assembly.build_executor(context, model_session)
        conversation = Chat(context, model_session, record, executor, steered)
        conversation.project = instructions_text(trusted, model_session.ready.loaded.context_length)
        yield conversation
        conversation.end(time.monotonic() - began, door.sinks)
