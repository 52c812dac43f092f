"""What `BatchProgress` is told, noted in the state folder as well, where the page finds it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from super_agent.batch.progress_display import BatchProgress
from super_agent.batch.task_index import IndexedTask
from super_agent.core.batches.attempts import Attempt
from super_agent.core.batches.status_notes import BatchNote, NoteFile, RunningAttempt
from super_agent.core.errors import SettingInvalid


@dataclass(slots=True)
class NotedProgress:
    """A `Watcher`. Where the note cannot be written that is said once, and the batch goes on without."""

    progress: BatchProgress
    state_dir: Path
    source: str
    kept_done: int
    _file: NoteFile | None = None
    _note: BatchNote | None = None
    _running: dict[str, RunningAttempt] = field(default_factory=dict)

    def begun(self, folder: Path, parallel: int) -> None:
        """Before the first attempt."""
        progress = self.progress
        progress.begun(str(folder), parallel)
        self._note = BatchNote(
            folder=str(folder), source=self.source, began=time.time(), parallel=parallel, tasks=progress.tasks,
            kept=progress.kept, kept_done=self.kept_done,
        )  # fmt: skip
        try:
            self._file = NoteFile(self.state_dir, folder)
        except (OSError, SettingInvalid) as error:
            self._complain(error)
        self._write()

    def started(self, entry: IndexedTask, attempt: int) -> None:
        """An attempt begins."""
        self.progress.started(entry, attempt)
        self._running[entry.id] = RunningAttempt(id=entry.id, attempt=attempt, since=time.time())
        self._write()

    def event(self, name: str, attempt: int, host: str, line: bytes) -> None:
        """What a run tells; the first that it tells names its session."""
        self.progress.event(name, attempt, host, line)
        known = self._running.get(name)
        if known is not None and not known.session:
            session = str(json.loads(line)["session"])
            self._running[name] = known.model_copy(update={"session": session, "host": host})
            self._write()

    def warn(self, text: str) -> None:
        """A line of what is wrong while the batch goes on."""
        self.progress.warn(text)

    def finished(self, attempt: Attempt) -> None:
        """An attempt is on disk."""
        self.progress.finished(attempt)
        self._running.pop(attempt.id, None)
        self._write()

    def ended(self, summary: Mapping[str, Any], why: str) -> None:
        """The batch does nothing more."""
        self.progress.ended(summary, why)
        self._running.clear()
        self._write(ended=time.time(), why=why)

    def close(self) -> None:
        """It lives no more; idempotent."""
        if self._file is not None:
            self._file.close()

    def _write(self, **more: Any) -> None:
        if self._file is None or self._note is None:
            return
        counts = {"finals": self.progress.finals, "done": self.progress.done}
        running = tuple(self._running.values())
        try:
            self._file.write(self._note.model_copy(update={**counts, "running": running, **more}))
        except OSError as error:
            self._complain(error)
            self.close()
            self._file = None

    def _complain(self, error: Exception) -> None:
        self.warn(f"`super-agent web` does not show this batch as it goes on: {error}")
