"""Who works on a session: a locked file in its folder, which the kernel frees however its holder ends."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

from super_agent.core.closing import HoldsDescriptor
from super_agent.core.errors import SessionHeld, StoreFailed
from super_agent.core.locks import is_locked, lock_within, open_file
from super_agent.core.state import private_folder

NAME = "held.json"
PROBE_S = 0.5
"""Somebody who only looks holds the lock for microseconds; a holder holds it for a run."""


class SessionLock(HoldsDescriptor):
    """A session held by this process until `close`; raises `SessionHeld` where another one holds it, `StoreFailed`.

    The file stays: removing it could free a name that another has just locked.
    """

    def __init__(self, folder: Path, session: str) -> None:
        path = private_folder(folder) / NAME
        try:
            self._fd = open_file(path)
            self._take(session)
        except OSError as error:
            self.close()
            raise StoreFailed(f"{path}: {error.strerror}", fix="Make room and make it writable for you") from error

    def _take(self, session: str) -> None:
        if not lock_within(self._fd, PROBE_S):
            by = _by(self._fd)
            self.close()
            raise SessionHeld(f"session {session} is held by {by}", fix="Wait for it, or end that process")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps({"pid": os.getpid(), "since": time.time()}).encode(), 0)


def is_held(folder: Path) -> bool:
    """Whether a living process holds the session of this folder."""
    return is_locked(folder / NAME)


def _by(fd: int) -> str:
    try:
        holder = json.loads(os.pread(fd, 1024, 0))
        since = datetime.fromtimestamp(holder["since"]).astimezone()
        return f"pid {holder['pid']} since {since:%Y-%m-%d %H:%M:%S}"
    except (ValueError, KeyError):  # it was locked a moment ago and not yet written
        return "another process"
