"""The one middleware that every model call of either client passes: it may refuse before, and counts after."""

import threading
from dataclasses import dataclass, field
from typing import Protocol

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import LimitReached
from super_agent.core.model.chat import Message
from super_agent.core.model.evaluation import Evaluated
from super_agent.core.model.prefix_cache import PrefixBreak


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A request about to be sent, with the conversation as it goes out (oldest first).

    `prompt_tokens` is an estimate on the safe (high) side. `prefix_break` is where the prompt gives up what the last
    call of this conversation left in the server's cache. `given_up` is set by the client once nobody wants the reply
    any more, from any thread: a `before` that waits then ends at once.
    """

    client: ClientKind
    model: str
    prompt_tokens: int
    messages: tuple[Message, ...] = ()
    prefix_break: PrefixBreak | None = None
    given_up: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


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
    evaluated: Evaluated | None = None


class CallMiddleware(Protocol):
    """Called from the client's own thread; `before` may block (a queue) or raise (a limit)."""

    def before(self, request: RequestFacts) -> None:
        """Let the request pass; raises `LimitReached` when it must not be sent, `Interrupted` when it is given up."""

    def after(self, usage: Usage) -> None:
        """Take note of a reply that arrived whole."""

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        """The call is over, however it ended and wherever it was; called at least once, in any thread.

        `cut` is about what a reply cost that did not arrive whole.
        """


@dataclass(slots=True)
class Totals:
    """Sums over the calls of one client; `measured` as long as every count of evaluated tokens is.

    `prompt_s` is seconds spent in evaluating prompts, as the server tells them (None on `/v1`).
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    evaluated_tokens: int = 0
    prompt_s: float | None = None
    measured: bool = True

    def add(self, usage: Usage) -> None:
        """Add one reply's cost."""
        self.requests += 1
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        evaluated = usage.evaluated or Evaluated(usage.prompt_tokens, measured=False)
        self.evaluated_tokens += evaluated.tokens
        self.measured = self.measured and evaluated.measured
        if usage.prompt_s is not None:
            self.prompt_s = (self.prompt_s or 0.0) + usage.prompt_s


@dataclass(slots=True)
class CountingMiddleware:
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
            self.totals.setdefault(usage.client, Totals()).add(usage)

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        """Nothing is held for a call; one that was cut is counted too."""
        if cut is not None:
            self.after(cut)

    def spent_tokens(self) -> int:
        """Tokens of all clients so far, prompts and replies."""
        return sum(t.prompt_tokens + t.completion_tokens for t in self.totals.values())
