"""A slow reply told from a dead server: while nothing comes, ask the server for its version now and then.

Both clients use it around a call. A server that answers is left to work, and the wait is told; one that does not is
given up long before the deadline for the first token.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import OllamaTimedOut, OllamaUnreachable, ServerError
from super_agent.core.events import Emit, Waiting
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings

TELL_EVERY_S = 10.0
"""As long as a user waits without a word (Nielsen's limit for keeping attention)."""
PROBE_AGAIN_S = 1.0
FAILED_PROBES = 3
"""In a row, each of up to 10 s: a machine that swaps may be slow even to say its version."""


class LivenessMonitor:
    """Watches one call from a thread of its own, from entering to leaving the `with` block."""

    def __init__(
        self,
        client: ClientKind,
        settings: Settings,
        emit: Emit,
        on_dead: Callable[[], None],
        every_s: float = TELL_EVERY_S,
    ) -> None:
        """`on_dead` is called from that thread and must make the call end; `dead` then says why."""
        self.dead: ServerError | None = None
        self._client = client
        self._settings = settings
        self._emit = emit
        self._on_dead = on_dead
        self._every_s = every_s
        self._over = threading.Event()
        self._began = False
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="liveness", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def piece(self) -> None:
        """A piece of the reply came."""
        self._began, self._last = True, time.monotonic()

    def raise_if_dead(self, cause: BaseException | None = None) -> None:
        """Raise what the probe found, where that ended the call."""
        if self.dead is not None:
            raise self.dead from cause

    def probe(self) -> ServerError | None:
        """Why the server does not answer; None where anything answers, be it an error."""
        try:
            with Ollama(self._settings) as server:
                server.version()
        except (OllamaUnreachable, OllamaTimedOut) as error:
            return error
        except ServerError:
            return None
        return None

    def _watch(self) -> None:
        failed, next_s = 0, self._every_s
        while not self._over.wait(next_s):
            silent_s = time.monotonic() - self._last
            if silent_s < self._every_s:
                failed, next_s = 0, self._every_s - silent_s
                continue
            error = self.probe()
            if self._over.is_set():
                return
            if error is None:
                failed, next_s = 0, self._every_s
                seconds = round(time.monotonic() - self._last, 1)
                self._emit(Waiting(self._client, seconds, "next_piece" if self._began else "first_piece"))
                continue
            failed, next_s = failed + 1, PROBE_AGAIN_S
            if failed >= FAILED_PROBES:
                self.dead = error
                self._on_dead()
                return
