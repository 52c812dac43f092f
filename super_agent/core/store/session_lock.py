"""Who works on a session: a locked file in its folder, which the kernel frees however its holder ends."""

import fcntl
import json
import os
import time
from datetime import datetime
from pathlib import Path

from super_agent.core.errors import SessionHeld, StoreFailed
from super_agent.core.state import private_folder

NAME = "held.json"
PROBE_S = 0.5
"""Somebody who only looks holds the lock for microseconds; a holder holds it for a run."""


class SessionLock:
    """A session held by this process until `close`; raises `SessionHeld` where another one holds it, `StoreFailed`."""

    def __init__(self, folder: Path, session: str) -> None:
        path = private_folder(folder) / NAME
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take(session)
        except OSError as error:
            self.close()
            raise StoreFailed(f"{path}: {error.strerror}", fix="Make room and make it writable for you") from error

    def _take(self, session: str) -> None:
        until = time.monotonic() + PROBE_S
        while not _locked(self._fd, fcntl.LOCK_EX):
            if time.monotonic() > until:
                by = _by(self._fd)
                self.close()
                raise SessionHeld(f"session {session} is held by {by}", fix="Wait for it, or end that process")
            time.sleep(0.01)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps({"pid": os.getpid(), "since": time.time()}).encode(), 0)

    def close(self) -> None:
        """Let go; idempotent. The file stays: removing it could free a name that another has just locked."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "SessionLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_held(folder: Path) -> bool:
    """Whether a living process holds the session of this folder."""
    try:
        fd = os.open(folder / NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def _locked(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _by(fd: int) -> str:
    try:
        holder = json.loads(os.pread(fd, 1024, 0))
        since = datetime.fromtimestamp(holder["since"]).astimezone()
        return f"pid {holder['pid']} since {since:%Y-%m-%d %H:%M:%S}"
    except (ValueError, KeyError):  # it was locked a moment ago and not yet written
        return "another process"
