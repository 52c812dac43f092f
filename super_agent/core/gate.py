"""The one gate that every model call of either client passes: it may refuse before, and counts after."""

import threading
from dataclasses import dataclass, field
from typing import Literal, Protocol

from super_agent.core.chat import Message
from super_agent.core.errors import LimitReached

ClientKind = Literal["autogen", "open-interpreter"]


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A request about to be sent, with the conversation as it goes out (oldest first).

    `prompt_tokens` is an estimate on the safe (high) side.
    """

    client: ClientKind
    model: str
    prompt_tokens: int
    reply_limit_tokens: int
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply cost. Tokens as the server counts them (cached ones included); durations in seconds.

    `/v1` reports no durations: `load_s`, `prompt_s` and `queued_s` (waited behind other requests) are None there.
    """

    client: ClientKind
    prompt_tokens: int
    completion_tokens: int
    wall_s: float
    load_s: float | None = None
    prompt_s: float | None = None
    truncated: bool = False
    queued_s: float | None = None


class Gate(Protocol):
    """Called from the client's own thread; `before` may block (a queue) or raise (a limit)."""

    def before(self, request: RequestFacts) -> None:
        """Let the request pass; raises `LimitReached` when it must not be sent."""

    def after(self, usage: Usage) -> None:
        """Take note of a reply that arrived whole."""


@dataclass(slots=True)
class Totals:
    """Sums over the calls of one client."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class CountingGate:
    """Counts for each client and enforces the run's limit of tokens in and out together (None: no limit)."""

    max_tokens: int | None = None
    totals: dict[ClientKind, Totals] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def before(self, request: RequestFacts) -> None:
        """Raise `LimitReached` when the tokens spent so far have reached the run's limit."""
        with self._lock:
            spent = self.spent_tokens()
        if self.max_tokens is not None and spent >= self.max_tokens:
            raise LimitReached(
                f"the run has used {spent} of its {self.max_tokens} tokens", fix="Raise --max-tokens to go on"
            )

    def after(self, usage: Usage) -> None:
        """Add a reply's cost to its client's totals."""
        with self._lock:
            totals = self.totals.setdefault(usage.client, Totals())
            totals.requests += 1
            totals.prompt_tokens += usage.prompt_tokens
            totals.completion_tokens += usage.completion_tokens

    def spent_tokens(self) -> int:
        """Tokens of all clients so far, prompts and replies."""
        return sum(t.prompt_tokens + t.completion_tokens for t in self.totals.values())
