"""A person's approval of code, whichever door asks: who can be asked, for how long, and what counts from then on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from interpreter.approval import ApprovalDecision, Approver, reasons_to_ask
from interpreter.code_blocks import CodeBlock
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import ApprovalAsked, Emit, Notice
from super_agent.session.run_context import RunContext
from super_agent.session.run_options import ApprovalContext, MakeApprover

STOP_TIMEOUT_S = 5.0
"""For a stop to arrive; the run then ends as cancelled and not with an error."""
WHY_REFUSED = (
    "it needs a person's approval, and nobody can be asked ({cause}). "
    "Do what can be done without running code, or finish and say what is to be run."
)


def refused(block: CodeBlock, cause: str) -> ApprovalDecision:
    """The decision where nobody can be asked, for this cause."""
    return ApprovalDecision("refused", "nobody", WHY_REFUSED.format(cause=cause), block)


@dataclass(slots=True)
class RunApprover:
    """An `Approver` around the door's: it announces each question and remembers "always".

    `approver` is a text where nobody can be asked: why not. `stop` ends what asks, and cancels it.
    """

    reasons: tuple[str, ...]
    approver: Approver | str
    emit: Emit
    stop: Callable[[], None]
    _always: bool = False
    _waited_s: float = 0.0
    _since: float | None = None

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """Ask the door, unless that was answered for good or nobody is there."""
        if self._always:
            return ApprovalDecision("run", "earlier_answer", "the user said always for this run", block)
        if isinstance(self.approver, str):
            return refused(block, self.approver)
        self._since = time.monotonic()
        try:
            self.emit(ApprovalAsked(block.language, block.code, self.reasons))
            decision = self.approver.decide(block, cancellation)
            if decision.decision == "stopped" and not cancellation.cancelled:
                self.stop()
                cancellation.wait(STOP_TIMEOUT_S)
        finally:
            self._waited_s += time.monotonic() - self._since
            self._since = None
        self._always = decision.decision == "always"
        return decision

    def forget(self) -> None:
        """Ask again from now on, whatever was said for good."""
        self._always = False

    def waited_s(self) -> float:
        """Seconds in which a person was waited for, up to now."""
        since = self._since
        return self._waited_s + (time.monotonic() - since if since is not None else 0.0)


def require_approval(context: RunContext, make: MakeApprover, stop: Callable[[], None]) -> RunApprover | None:
    """Have the executor ask before code runs, where settings and sandbox say so; says it where nobody can be asked."""
    reasons = reasons_to_ask(context.settings.approve, context.policy)
    if not reasons:
        return None
    made = make(ApprovalContext(reasons, context.emit, context.session.outputs()))
    if isinstance(made, str):
        what = f"code needs approval and nobody can be asked ({made}), so none will run"
        context.emit(Notice("warning", what, "Start it in a terminal, or accept the risk with --approve never"))
    context.approver = approver = RunApprover(reasons, made, context.emit, stop)
    return approver
