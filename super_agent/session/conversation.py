"""A conversation with the executor: one instruction after the other, until the door has had enough."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from interpreter.executor import Executor
from super_agent.core.errors import Interrupted, SuperAgentError
from super_agent.core.events import Notice, TurnStarted
from super_agent.core.settings import Settings
from super_agent.core.state import SessionFolder
from super_agent.session import facts, wiring
from super_agent.session.approval import require_approval
from super_agent.session.context import ModelSession, RunContext, open_context
from super_agent.session.options import Door, RunOptions
from super_agent.session.project_instructions import instructions_text, trusted_instructions
from super_agent.session.record import RunPersistence

CONVERSATION = "(a conversation)"
"""In place of a task, where sessions are listed."""


@dataclass(slots=True)
class Conversation:
    """Open until its `with` block is left; its owner calls `say` from one thread."""

    context: RunContext
    model_session: ModelSession
    record: RunPersistence
    executor: Executor
    project: str = ""
    """What the first instruction is told of the project beside its files."""
    turns: int = 0

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
        try:
            self.executor.carry_out("\n\n".join(filter(None, (instruction, self.project))))
            self.project = ""
        except Interrupted:
            self.context.emit(Notice("warning", "interrupted; the conversation goes on"))
        except SuperAgentError as error:
            self.context.emit(Notice("error", error.what, error.fix))
        self.record.snapshot(str(self.turns))
        self.model_session.at_turn_start()

    def cancel(self) -> None:
        """End the action under way, from any thread or a signal handler; the conversation goes on."""
        self.executor.cancel()

    def end(self, duration_s: float) -> None:
        """Told to the store alone: the person ended it and needs no summary; whoever looks back does."""
        if self.record.recorder is not None:
            self.context.stream.sinks = (self.record.recorder,)
            self.context.emit(facts.ended(self.context, self.model_session, "finished", 0, "", self.turns, duration_s))


@contextmanager
def open_conversation(options: RunOptions, settings: Settings, door: Door) -> Iterator[Conversation]:
    """In `options.workspace`, whose task is not looked at; raises `SuperAgentError` where it cannot begin.

    The door's cancellation ends the action under way and with it, as it stays cancelled, whatever is said later.
    """
    with open_context(settings, options.workspace, options.python, door.sinks) as context:
        began = time.monotonic()
        started = facts.started(context, CONVERSATION, "exec", None)
        record = RunPersistence.begin(context, started, is_conversation=True)
        facts.announce(context)
        trusted = trusted_instructions(context, "", door.answer)
        model_session = wiring.open_model_session(context, door.cancellation, strict=options.strict_instance)
        require_approval(context, door.approver, lambda: conversation.cancel())
        conversation = Conversation(context, model_session, record, wiring.build_executor(context, model_session))
        conversation.project = instructions_text(trusted, model_session.ready.loaded.context_length)
        context.stack.callback(door.cancellation.on_cancel(conversation.cancel))
        yield conversation
        conversation.end(time.monotonic() - began)
