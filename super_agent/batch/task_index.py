"""The batch's own copy of its tasks on disk, and a small index of it: memory does not grow with the tasks' texts."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from super_agent.batch.tasks import Task
from super_agent.core.settings import Settings

RELEVANT = (
    "model", "temperature", "top_p", "max_reply_tokens", "max_turns", "max_time_s", "max_tokens", "max_rounds",
    "code_timeout_s", "check_timeout_s", "max_output_bytes", "compaction", "sandbox", "sandbox_image", "network",
)  # fmt: skip
"""Settings that a result depends on; the server's address is none of them."""


@dataclass(frozen=True, slots=True)
class IndexedTask:
    """Where a task stands in the file; `hash` is that of the task and of the settings it is run with."""

    id: str
    hash: str
    offset: int
    setup: bool


class TaskIndex:
    """The tasks in the order in which they are run: those that share a workspace follow one another."""

    def __init__(self, path: Path, entries: list[IndexedTask]) -> None:
        self._path = path
        self.entries = entries

    @classmethod
    def write(cls, path: Path, tasks: Iterable[Task], settings: Settings) -> "TaskIndex":
        """Write them to `path`, whole or not at all. Raises OSError, and what reading `tasks` raises."""
        tools = {"mcp": settings.mcp} if settings.mcp else {}
        base = json.dumps({**{name: str(getattr(settings, name)) for name in RELEVANT}, **tools}).encode()
        found: dict[str, list[IndexedTask]] = {}
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as file:
                for task in tasks:
                    line = task.model_dump_json().encode()
                    digest = hashlib.sha256(base + line).hexdigest()[:16]
                    origin = task.workspace or f"{task.repo} {task.commit}"
                    entry = IndexedTask(task.id, digest, file.tell(), task.setup is not None)
                    found.setdefault(origin, []).append(entry)
                    file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return cls(path, [entry for group in found.values() for entry in group])

    def task(self, entry: IndexedTask) -> Task:
        """Read one task; raises OSError."""
        with self._path.open("rb") as file:
            file.seek(entry.offset)
            return Task.model_validate_json(file.readline())
