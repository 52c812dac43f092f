"""What both model clients are before they send anything: one server and model, a budget of tokens, a middleware."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from super_agent.core.client_kind import ClientKind
from super_agent.core.events import Emit
from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.evaluation import Evaluated, EvaluationMeter
from super_agent.core.model.liveness import LivenessMonitor
from super_agent.core.model.middleware import CallMiddleware, RequestFacts, Usage
from super_agent.core.model.retry import Retries
from super_agent.core.model.token_estimate import PromptBudget
from super_agent.core.ollama import http_errors
from super_agent.core.settings import Settings

ERROR_BODY_TIMEOUT_S = 10.0
LEAST_REPLY_TOKENS = 16


class ModelClient:
    """One conversation partner; a subclass sends the requests, over its own library and to its own `PATH`."""

    KIND: ClassVar[ClientKind]
    PATH: ClassVar[str]

    def __init__(
        self,
        settings: Settings,
        middleware: CallMiddleware,
        context_length: int | None,
        emit: Emit,
        tell_every_s: float,
    ) -> None:
        """`context_length` is in tokens, as loaded; without it only the server refuses what does not fit.

        `emit` hears of waiting (`Waiting`) and of repeated requests (`Retried`, `ReplyDiscarded`).
        """
        self._settings = settings
        self._middleware = middleware
        self.context_length = context_length
        self._budget = PromptBudget()
        self._meter = EvaluationMeter()
        self._emit = emit
        self._tell_every_s = tell_every_s

    @property
    def base_url(self) -> str:
        """The server this client sends to."""
        return self.endpoint.removesuffix(self.PATH)

    @property
    def endpoint(self) -> str:
        """The URL this client posts to."""
        return self._settings.base_url + self.PATH

    @property
    def model(self) -> str:
        """The model name this client sends."""
        return self._settings.model

    def reply_limit(self, wanted: int | None = None) -> int:
        """Tokens a reply may have: the settings' limit, at most a quarter of a known context, or fewer if `wanted`."""
        limit = self._settings.max_reply_tokens
        if self.context_length is not None:
            limit = min(limit, max(LEAST_REPLY_TOKENS, self.context_length // 4))
        return min(limit, wanted) if wanted is not None else limit

    def estimate_tokens(self, messages: Sequence[Message]) -> int:
        """What the server will count for this prompt, rather too many than too few."""
        return self._budget.estimate(messages)

    def begin_anew(self) -> None:
        """The next prompt gives up the prefix on purpose (a compaction): that is no break."""
        self._budget.begin_anew()

    def facts_of(self, messages: Sequence[Message], limit: int, extra: str = "", begun: str = "") -> RequestFacts:
        """Of a request with that reply limit; `begun` is the reply's beginning, which the prompt ends with.

        Raises `PromptTooLong` where both would not fit the context.
        """
        estimate = self._budget.estimate(messages, extra, begun)
        if self.context_length is not None and estimate + limit > self.context_length:
            raise http_errors.prompt_too_long(estimate, limit, self.context_length)
        return RequestFacts(self.KIND, self.model, estimate, tuple(messages), self._budget.broken(messages, begun))

    def usage_of(self, messages: Sequence[Message], reply: Reply, begun: str = "") -> Usage:
        """Of a reply that arrived whole, from which later estimates are corrected."""
        reused = self._budget.reused(messages, reply.prompt_tokens, begun)
        truncated = self._budget.learn(messages, reply, begun)
        return Usage(
            self.KIND,
            reply.prompt_tokens,
            reply.completion_tokens,
            reply.wall_s,
            reply.load_s,
            reply.prompt_s,
            truncated,
            _queued_s(reply),
            self._meter.read(reply.prompt_tokens, reused, reply.prompt_s),
        )

    def usage_of_cut(self, facts: RequestFacts, pieces: int, wall_s: float, begun: str = "") -> Usage | None:
        """About what a reply cost that did not arrive whole, where any came; each piece is a token or little more."""
        if not pieces:
            return None
        reused = self._budget.reused(facts.messages, facts.prompt_tokens, begun)
        evaluated = Evaluated(max(1, facts.prompt_tokens - reused), measured=False)
        return Usage(self.KIND, facts.prompt_tokens, pieces, wall_s, evaluated=evaluated)

    def _retries(self) -> Retries:
        return Retries(self.KIND, self._settings, self._emit)

    def _monitor(self, on_dead: Callable[[], None]) -> LivenessMonitor:
        return LivenessMonitor(self.KIND, self._settings, self._emit, on_dead, self._tell_every_s)


def _queued_s(reply: Reply) -> float | None:
    """What the server did not spend on this reply: it waited behind others."""
    if reply.load_s is None or reply.prompt_s is None or reply.reply_s is None:
        return None
    return max(0.0, reply.wall_s - reply.load_s - reply.prompt_s - reply.reply_s)
