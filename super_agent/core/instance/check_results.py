"""What a check of `verify` says, and the middleware that its calls pass."""

from dataclasses import dataclass, field
from typing import Literal

from super_agent.core.instance.diagnosis import Cause, Values
from super_agent.core.model.middleware import RequestFacts, Usage

Status = Literal["passed", "warning", "failed", "not_observable"]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check: `seen` and `fix` are keys into the command line's words, `values` what they are filled with.

    Where a `cause` was found, its own repair takes the place of `fix`.
    """

    name: str
    status: Status
    seen: str
    values: Values = field(default_factory=dict)
    fix: str = ""
    cause: Cause | None = None


@dataclass(slots=True)
class ProofMiddleware:
    """Lets every call pass and keeps what was sent and what it cost."""

    sent: list[RequestFacts] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)

    def before(self, request: RequestFacts) -> None:
        """Keep the request."""
        self.sent.append(request)

    def after(self, usage: Usage) -> None:
        """Keep the cost."""
        self.usages.append(usage)

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        """Nothing is held for a call."""
