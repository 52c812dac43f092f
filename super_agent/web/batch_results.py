"""The results of a batch, of which only what was added is read again, however often and by however many pages.

The file lies in a folder that a person chose, where others may write. No path in a request leads there: only the one
name in the folder that the batch itself noted, no link, nothing but a file, and only lines that are results.
"""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from super_agent.core.batches.attempts import FILE, Attempt

MOST_OF_A_LINE = 1 << 20
"""Bytes; an attempt has one line of detail."""
MOST_OF_A_FILE = 1 << 28
"""Bytes; 100,000 attempts are some 70 MB."""
MOST_HELD = 4
"""Batches of which it is known where their lines stand; of others it is found out anew."""


@dataclass(frozen=True, slots=True)
class NewestLine:
    """Where a task's newest line begins."""

    offset: int
    good: bool
    final: bool


@dataclass(slots=True)
class Results:
    """One batch's, in its folder. `bad` lines are no results."""

    path: Path
    bad: int = 0
    _places: dict[str, NewestLine] = field(default_factory=dict)
    """Of each task's newest line, in the order of the file."""
    _file: tuple[int, int] = (0, 0)
    _end: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, good: bool | None, first: int, most: int) -> tuple[list[Attempt], int]:
        """The newest attempts at tasks, newest first, from the number `first`, and how many there are in all.

        `good`: only those that were done, or only those that ended otherwise. Raises OSError.
        """
        with self._lock, _opened(self.path) as file:
            self._look(file)
            wanted = [p for p in reversed(self._places.values()) if good is None or (p.final and p.good == good)]
            found = (self._read(file, place) for place in islice(wanted, first, first + most))
            return [attempt for attempt in found if attempt is not None], len(wanted)

    def _look(self, file: BinaryIO) -> None:
        info = os.fstat(file.fileno())
        if (info.st_dev, info.st_ino) != self._file or info.st_size < self._end:  # another file, or cut short
            self._places, self.bad, self._end = {}, 0, 0
            self._file = info.st_dev, info.st_ino
        file.seek(self._end)
        while line := file.readline(MOST_OF_A_LINE):
            if not line.endswith(b"\n") and len(line) < MOST_OF_A_LINE:
                break  # it is being written
            self._know(line)
            self._end += len(line)

    def _know(self, line: bytes) -> None:
        try:
            attempt = Attempt.model_validate_json(line)
        except ValidationError:
            self.bad += 1
            return
        self._places.pop(attempt.id, None)
        self._places[attempt.id] = NewestLine(self._end, attempt.outcome == "done", attempt.final)

    def _read(self, file: BinaryIO, place: NewestLine) -> Attempt | None:
        file.seek(place.offset)
        try:
            return Attempt.model_validate_json(file.readline(MOST_OF_A_LINE))
        except ValidationError:  # written over a moment ago; the next look finds that out
            return None


@dataclass(slots=True)
class ResultsOfBatches:
    """Of the batches that were looked at last."""

    _known: dict[str, Results] = field(default_factory=dict)

    def of(self, name: str, folder: Path) -> Results:
        """Of the batch of that name, whose results lie in `folder`."""
        found = self._known.pop(name, None) or Results(folder / FILE)
        self._known[name] = found
        for older in list(self._known)[:-MOST_HELD]:
            self._known.pop(older, None)
        return found


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Raises OSError, also for what is no file, a link included, or larger than results are."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if info.st_size > MOST_OF_A_FILE:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        yield file
