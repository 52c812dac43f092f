"""How each batch stands, noted in the state folder while it works, so that views find the batches of this machine.

A note is locked while its batch lives, so a batch that was killed is seen as stopped, whatever it noted last.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from super_agent.core.closing import HoldsDescriptor
from super_agent.core.locks import is_locked, lock_within, open_file, try_lock
from super_agent.core.state import private_folder

FOLDER = "batches"
MOST_NOTES = 100
"""Of batches that live no more; the oldest go when another begins."""
PROBE_S = 0.5
"""Somebody who only looks holds the lock for microseconds."""

BatchStatus = Literal["running", "ended", "stopped"]


class RunningAttempt(BaseModel):
    """An attempt that goes on, since `since` (seconds since the epoch); no session before its run has begun."""

    model_config = ConfigDict(frozen=True)

    id: str
    attempt: int
    since: float
    session: str = ""
    host: str = ""


class BatchNote(BaseModel):
    """One batch: where its results are, how it stands, and why it ended. Times are seconds since the epoch.

    `kept` tasks had a result when it began (the last time), `kept_done` of them a good one; `finals` and `done` are
    those of this time.
    """

    model_config = ConfigDict(frozen=True)

    folder: str
    source: str
    began: float
    parallel: int
    tasks: int
    kept: int
    kept_done: int
    finals: int = 0
    done: int = 0
    running: tuple[RunningAttempt, ...] = ()
    ended: float | None = None
    why: str = ""

    def left_s(self, now: float) -> float | None:
        """Seconds that the rest should take; None before the first result and after the end."""
        if self.ended is not None:
            return None
        return left_s(now - self.began, self.finals, self.tasks - self.kept - self.finals)


def left_s(elapsed_s: float, finals: int, left: int) -> float | None:
    """Seconds that `left` tasks should take at the pace so far; None before the first result."""
    return elapsed_s / finals * left if finals else None


def hours_text(seconds: float) -> str:
    """`4:05` or `1:04:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(frozen=True, slots=True)
class SeenBatch:
    """A note as it is found; `name` is the same for every batch in one folder."""

    name: str
    note: BatchNote
    state: BatchStatus


class NoteFile(HoldsDescriptor):
    """A batch's own note, held by this process until `close`."""

    def __init__(self, state_dir: Path, folder: Path) -> None:
        """Raises `SettingInvalid` for a state folder that cannot be written, OSError."""
        notes = private_folder(state_dir, FOLDER)
        _forget_old(notes)
        self._path = notes / f"{batch_name(folder)}.json"
        self._fd = _locked(self._path.with_suffix(".lock"))

    def write(self, note: BatchNote) -> None:
        """In the place of what it said before, whole; raises OSError. A loss of power may lose it: it only tells."""
        part = self._path.with_suffix(".part")
        with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(note.model_dump_json().encode())
        part.replace(self._path)


def batch_name(folder: Path) -> str:
    """Of the batch in that folder: fit for an address, and for a file."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def batches(state_dir: Path) -> list[SeenBatch]:
    """All that are noted; the one that began last comes first."""
    return sorted(_seen((state_dir / FOLDER).glob("*.json")), key=lambda seen: seen.note.began, reverse=True)


def running_batches(state_dir: Path) -> list[SeenBatch]:
    """Those of them that live; of the others nothing is read."""
    paths = (state_dir / FOLDER).glob("*.json")
    found = _seen(path for path in paths if is_locked(path.with_suffix(".lock")))
    return sorted((seen for seen in found if seen.state == "running"), key=lambda seen: seen.note.began, reverse=True)


def _seen(paths: Iterator[Path]) -> Iterator[SeenBatch]:
    for path in paths:
        try:
            note = BatchNote.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):  # removed at this moment, or of another version: nothing that can be told
            continue
        state: BatchStatus = "ended" if note.ended is not None else "stopped"
        yield SeenBatch(path.stem, note, "running" if is_locked(path.with_suffix(".lock")) else state)


def _locked(path: Path) -> int:
    """The lock, under its name: another process may have removed the file between our look and our lock."""
    while True:
        fd = open_file(path)
        if not lock_within(fd, PROBE_S):
            os.close(fd)
            raise BlockingIOError(11, "another batch notes there", str(path))
        if path.exists() and path.stat().st_ino == os.fstat(fd).st_ino:
            return fd
        os.close(fd)


def _forget_old(notes: Path) -> None:
    def age(path: Path) -> float:
        try:
            return time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    for path in sorted(notes.glob("*.json"), key=age)[MOST_NOTES - 1 :]:
        lock = path.with_suffix(".lock")
        fd = open_file(lock)
        try:
            if try_lock(fd):
                path.unlink(missing_ok=True)
                lock.unlink(missing_ok=True)
        finally:
            os.close(fd)
