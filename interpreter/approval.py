"""The question whether a person wants the executor's code to run, as the executor sees it."""

from dataclasses import dataclass
from typing import Literal, Protocol

from interpreter.code_blocks import CodeBlock
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import CodeDecision, DecidedBy

Approve = Literal["never", "risky", "always"]
"""When a person is asked."""
Choice = Literal["run", "edit", "skip", "always", "stop"]
"""What a person says to a block; "always" is for this run."""


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """What becomes of one block. `block` is what runs, as the user may have edited it; `why` is told to the model."""

    decision: CodeDecision
    by: DecidedBy
    why: str
    block: CodeBlock

    @property
    def runs(self) -> bool:
        """Whether the block is to run."""
        return self.decision in ("run", "edited", "always")


def decided(choice: Choice, block: CodeBlock, *, edited: bool = False, why: str = "") -> ApprovalDecision:
    """What a person chose for a block, which is `edited` where they changed it; `why` they skip it is told."""
    if choice == "skip":
        reason = f": {why}" if why else ""
        return ApprovalDecision("skipped", "user", f"the user skipped it{reason}. Do something else, or finish.", block)
    if choice == "stop":
        return ApprovalDecision("stopped", "user", "the user ended the run", block)
    decision: CodeDecision = "always" if choice == "always" else "edited" if edited else "run"
    return ApprovalDecision(decision, "user", "the user changed the code" if edited else "the user approved", block)


class Approver(Protocol):
    """Decides about each block before it runs."""

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """Wait for a person as long as it takes, and refuse where nobody can answer; "stopped" once it is cancelled."""


def risks(policy: SandboxPolicy) -> tuple[str, ...]:
    """What the sandbox would not contain, a sentence each: known from the policy, never guessed from the code."""
    if not policy.contained:
        return ("there is no sandbox: it runs with your own rights",)
    return ("it has the network: the internet, and servers on this machine",) if policy.network else ()


def reasons_to_ask(approve: Approve | None, policy: SandboxPolicy) -> tuple[str, ...]:
    """Why a person is asked before each block; empty means that nobody is. None is the default for the policy."""
    if approve is None:
        approve = "never" if policy.contained else "always"
    if approve == "never":
        return ()
    found = risks(policy)
    return found or (("you asked for it (--approve always)",) if approve == "always" else ())
