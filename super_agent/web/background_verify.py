"""`verify` at a button: done in a thread, its checks shown as they come, one at a time for the whole server."""

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from super_agent.core.errors import SuperAgentError
from super_agent.core.settings import Settings

if TYPE_CHECKING:
    from super_agent.core.instance.check_results import CheckLine


@dataclass(slots=True)
class Verification:
    """The last one, or the one under way. `note` says what takes long, `error` what ended it before its end."""

    settings: Settings
    lines: "list[CheckLine]" = field(default_factory=list)
    note: str = ""
    error: SuperAgentError | None = None
    started: float | None = None
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin one, where none is under way; it may load the model."""
        with self._lock:
            if not self.running:
                self.lines, self.note, self.error, self.started = [], "", None, time.time()
                self._thread = threading.Thread(target=self._run, name="verify", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        from super_agent.core.ollama.api import Ollama  # both clients, which no other page needs
        from super_agent.session.verify_instance import prove

        try:
            with Ollama(self.settings) as server:
                for line in prove(server, self.settings, self._tell, quick=False, load=True):
                    self.lines.append(line)
        except SuperAgentError as error:
            self.error = error

    def _tell(self, text: str) -> None:
        self.note = text
