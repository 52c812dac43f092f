"""What a turn under way did to the files, kept beside the session as it happens: after a kill nothing else tells."""

import json
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from super_agent.core.closing import HoldsDescriptor
from super_agent.core.errors import StoreFailed
from super_agent.core.events import CodeFinished, CodeStarted, EditRefused, FileWritten, Stamped
from super_agent.core.snapshots.stream import path_and_parents
from super_agent.core.state import SessionFolder

FILE = "turn.jsonl"
EARLY_NS = 20_000_000
"""A file's change time can lie so far before the clock's: it is as coarse as the kernel's tick, 4 to 10 ms."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A write of ours to `path`, or a run of `code`, from when to when; `ended_ns` is None where a kill ended it."""

    began_ns: int
    path: str | None = None
    code: str = ""
    ended_ns: int | None = None

    def names(self, path: str) -> bool:
        """Whether it says that it works on this path, or on a folder that it lies in."""
        if self.path is not None:
            return self.path == path
        parts = {place.rpartition("/")[2] for place in path_and_parents(path)}
        return any(re.search(rf"(?<![\w.-]){re.escape(part)}(?![\w-])", self.code) for part in parts)

    def spans(self, at_ns: int, alive_ns: int) -> bool:
        """Whether that moment lies in it; `alive_ns` is when the run was last alive."""
        return self.began_ns - EARLY_NS <= at_ns <= (alive_ns if self.ended_ns is None else self.ended_ns)


class Journal(HoldsDescriptor):
    """A `Sink`, and what is told before each write of the coder's; begun anew at each turn's end."""

    def __init__(self, folder: SessionFolder) -> None:
        """Raises OSError."""
        self._fd = os.open(folder.path / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def writing(self, path: str) -> None:
        """The coder's file is about to be written. Raises `StoreFailed`: then it must not be."""
        try:
            self._add({"write": path, "at": time.time_ns()})
        except OSError as error:
            raise StoreFailed(f"{FILE} of the session: {error.strerror}", fix="Make room on the disk") from error

    def written(self) -> None:
        """It was."""
        with suppress(OSError):  # then it lasts until the kill, as far as anyone can tell
            self._add({"end": time.time_ns()})

    def __call__(self, stamped: Stamped) -> None:
        """Take one event; a full disk makes what it would have said untold, and then nothing is taken back for it."""
        with suppress(OSError):
            if isinstance(stamped.event, CodeStarted):
                self._add({"code": stamped.event.code, "at": time.time_ns()})
            elif isinstance(stamped.event, CodeFinished | FileWritten | EditRefused):
                self._add({"end": time.time_ns()})

    def begin_turn(self) -> None:
        """What came before is in a snapshot. Raises OSError."""
        os.ftruncate(self._fd, 0)

    def _add(self, line: dict[str, object]) -> None:
        os.write(self._fd, json.dumps(line).encode() + b"\n")


def journal_entries(folder: SessionFolder) -> tuple[JournalEntry, ...] | None:
    """Those of the turn that was not completed, oldest first; None where no journal was kept."""
    try:
        lines = (folder.path / FILE).read_bytes().splitlines()
    except OSError:
        return None
    return _entries(lines)


def _entries(lines: Iterable[bytes]) -> tuple[JournalEntry, ...]:
    found: list[JournalEntry] = []
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            break  # cut by a power cut
        if "end" in said:
            if found and found[-1].ended_ns is None:
                found[-1] = replace(found[-1], ended_ns=said["end"])
        else:
            found.append(JournalEntry(said["at"], said.get("write"), said.get("code", "")))
    return tuple(found)
