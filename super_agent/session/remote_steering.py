"""A door's part of a run, with what comes through the run's control socket beside it: whoever speaks first is heard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from interpreter.approval import ApprovalDecision, Approver, decided
from interpreter.code_blocks import CodeBlock
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import Notice
from super_agent.session.control_socket import ControlSocket
from super_agent.session.run_options import ApprovalContext, Door, nothing
from super_agent.session.run_persistence import RunPersistence


def steerable(record: RunPersistence, door: Door, heard: Callable[[], None] = nothing) -> Door:
    """The door, heard together with the socket of a run that is kept; it is said where that cannot be made.

    `heard` is called, in another thread, when a line came that `take_lines` gives.
    """
    if record.recorder is None:
        return door  # nobody could name it
    context = record.context
    control = ControlSocket(context.session.path, context.stream, record.recorder, door.cancellation.cancel, heard)
    try:
        control.open()
    except OSError as error:
        control.close()
        context.emit(Notice("warning", f"the run cannot be steered from a page: {error.strerror or error}"))
        return door
    context.stack.callback(control.close)
    context.stream.sinks = (*context.stream.sinks, control)

    def take_lines() -> Sequence[str]:
        return [*door.take_lines(), *control.take_lines()]

    def approver(asking: ApprovalContext) -> Approver | str:
        made = door.approver(asking)
        return made if isinstance(made, str) else SharedApprover(made, control)

    return replace(door, take_lines=take_lines, approver=approver)


@dataclass(frozen=True, slots=True)
class SharedApprover:
    """An `Approver` that asks at the door and through the socket at once."""

    door: Approver
    control: ControlSocket

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """The first answer counts; the question is gone at the other place."""
        taken_back = Cancellation()
        question = self.control.ask(taken_back.cancel)
        try:
            with cancellation.ending(taken_back.cancel):
                decision = self.door.decide(block, taken_back)
        finally:
            answer = self.control.settle(question)
        if answer is None:
            return decision
        shown = replace(block, code=answer.code)
        return decided(answer.choice, shown, edited=answer.choice == "edit", why=answer.why)
