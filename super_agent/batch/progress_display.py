"""How a batch is seen while it runs: a line that changes in a terminal, JSON events, or nothing until the end."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from super_agent.batch.task_index import IndexedTask
from super_agent.core.batches.attempts import Attempt
from super_agent.core.batches.status_notes import hours_text, left_s
from super_agent.core.sanitize import sanitize

EVENT_VERSION = 1


@dataclass(slots=True)
class BatchProgress:
    """A `Watcher`. `errors` is where the changing line goes, if it is a terminal; `out` takes the JSON events."""

    tasks: int
    kept: int
    out: TextIO
    errors: TextIO
    as_json: bool
    started_at: float = field(default_factory=time.monotonic)
    finals: int = 0
    done: int = 0
    running: int = 0

    def begun(self, folder: str, parallel: int) -> None:
        """The first event."""
        self._event("batch_started", {"folder": folder, "tasks": self.tasks, "kept": self.kept, "parallel": parallel})

    def warn(self, text: str) -> None:
        """A line that stays, of what is wrong while the batch goes on."""
        clear = "\r\x1b[K" if self.errors.isatty() and not self.as_json else ""
        self.errors.write(f"{clear}super-agent: {sanitize(text)}\n")
        self.errors.flush()
        self._draw()

    def started(self, entry: IndexedTask, attempt: int) -> None:
        """An attempt begins."""
        self.running += 1
        self._event("task_started", {"id": entry.id, "attempt": attempt})
        self._draw()

    def event(self, name: str, attempt: int, host: str, line: bytes) -> None:
        """What a run tells while it runs, here or on another machine."""
        if self.as_json:
            self._event("task_event", {"id": name, "attempt": attempt, "host": host, "event": json.loads(line)})

    def finished(self, attempt: Attempt) -> None:
        """An attempt is on disk."""
        self.running -= 1
        self.finals += attempt.final
        self.done += attempt.final and attempt.outcome == "done"
        fields = attempt.model_dump()
        fields["agent_version"] = fields.pop("version")  # `version` is that of the event
        self._event("task_finished", fields)
        self._draw()

    def ended(self, summary: Mapping[str, Any], why: str) -> None:
        """The last event; the changing line is taken away."""
        self._event("batch_ended", {"why": why, **summary})
        if self.errors.isatty() and not self.as_json:
            self.errors.write("\r\x1b[K")
            self.errors.flush()

    def estimate_s(self) -> float | None:
        """Seconds that the rest should take at the pace so far; None before the first result."""
        return left_s(time.monotonic() - self.started_at, self.finals, self.tasks - self.kept - self.finals)

    def line(self) -> str:
        """Where it stands."""
        left_s = self.estimate_s()
        about = f" · about {hours_text(left_s)} left" if left_s is not None else ""
        failed = self.finals - self.done
        return (
            f"{self.kept + self.finals} of {self.tasks} tasks · {self.done} done now, {failed} not · "
            f"{self.running} running{about}"
        )

    def _draw(self) -> None:
        if self.errors.isatty() and not self.as_json:
            self.errors.write(f"\r\x1b[K{sanitize(self.line())}")
            self.errors.flush()

    def _event(self, kind: str, fields: Mapping[str, Any]) -> None:
        if self.as_json:
            moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self.out.write(json.dumps({"version": EVENT_VERSION, "type": kind, "time": moment, **fields}) + "\n")
            self.out.flush()
