"""What both model clients are before they send anything: one server and model, a budget of tokens, a middleware."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from super_agent.core.client_kind import ClientKind
from super_agent.core.events import Emit
from super_agent.core.model.chat import Message
from super_agent.core.model.liveness import LivenessMonitor
from super_agent.core.model.middleware import CallMiddleware
from super_agent.core.model.retry import Retries
from super_agent.core.model.token_estimate import TokenAccounting
from super_agent.core.settings import Settings

ERROR_BODY_TIMEOUT_S = 10.0


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
        self._account = TokenAccounting(self.KIND, settings, context_length)
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
        return self._account.reply_limit(wanted)

    def estimate_tokens(self, messages: Sequence[Message]) -> int:
        """What the server will count for this prompt, rather too many than too few."""
        return self._account.estimate(messages)

    def begin_anew(self) -> None:
        """The next prompt gives up the prefix on purpose (a compaction)."""
        self._account.begin_anew()

    def _retries(self) -> Retries:
        return Retries(self.KIND, self._settings, self._emit)

    def _monitor(self, on_dead: Callable[[], None]) -> LivenessMonitor:
        return LivenessMonitor(self.KIND, self._settings, self._emit, on_dead, self._tell_every_s)
