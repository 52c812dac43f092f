"""Whether a request that failed is sent again: only where that is safe, and only so many times."""

from dataclasses import dataclass

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import ServerError
from super_agent.core.events import Emit, ReplyDiscarded, Retried
from super_agent.core.settings import Settings

MAX_DISCARDED = 1
"""A reply that breaks off twice is no accident."""


@dataclass(slots=True)
class Retries:
    """The tries of one request; the client counts in `pieces` what it has handed on of the reply under way.

    A request has no effect but its reply, so it may be repeated as long as nobody relies on a piece of that. Once
    pieces were shown, it is repeated only with the word that they count for nothing.

    The default settings span 7.5 s (0.5 + 1 + 2 + 4): Ollama's own systemd unit starts the server again after 3 s, and
    it then answers within 0.1 s.
    """

    client: ClientKind
    settings: Settings
    emit: Emit
    pieces: int = 0
    _made: int = 0
    _discarded: int = 0

    def wait_after(self, error: ServerError) -> float:
        """Seconds to wait before the next try, which is told; raises the error where there is none."""
        if (
            not error.transient
            or self._made >= self.settings.retries
            or (self.pieces and self._discarded >= MAX_DISCARDED)
        ):
            raise error
        if self.pieces:
            self._discarded += 1
            self.pieces = 0
            self.emit(ReplyDiscarded(self.client, error.what))
        wait_s = self.settings.retry_wait_s * 2.0**self._made
        self._made += 1
        self.emit(Retried(self.client, self._made, self.settings.retries, error.what, wait_s))
        return wait_s
