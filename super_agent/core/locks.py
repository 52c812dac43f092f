"""Locks between processes: flock on an open file. The kernel frees it however its holder ends, so none is stale.

Not filelock: it has no lock that only looks, none on the file that holds the data, and nothing to tell who waits.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def open_file(path: Path) -> int:
    """A descriptor for a file that is locked: read and written by its owner alone, made where it is missing."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Take the lock if nobody else holds it. `shared` is for one who only looks: several may at a time."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_within(fd: int, wait_s: float, every_s: float = 0.01) -> bool:
    """Whether the lock was had in that time; tried once at least. flock itself knows no limit, so this looks again."""
    until = time.monotonic() + wait_s
    while not try_lock(fd):
        if time.monotonic() >= until:
            return False
        time.sleep(every_s)
    return True


def unlock(fd: int) -> None:
    """Let go at once. A close alone does not, where a child between fork and exec still has the descriptor."""
    fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def alone(path: Path, tell: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `path`, for work that another process may be at for minutes: `tell` is called where one is."""
    fd = open_file(path)
    try:
        if not try_lock(fd):
            tell()
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def list_alive(path: Path, data: bytes = b"") -> int:
    """Make a file that is locked while this process lives; under its name only once it is locked and whole."""
    unlisted = path.with_suffix(".new")
    fd = open_file(unlisted)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.pwrite(fd, data, 0)
    unlisted.rename(path)
    return fd


def unlist(path: Path, fd: int) -> None:
    """Take back `list_alive`."""
    path.unlink(missing_ok=True)
    unlock(fd)
    os.close(fd)


def alive(path: Path, most_bytes: int = 0) -> bytes | None:
    """What a file of `list_alive` holds while its process lives; None where it is dead, and the file is removed."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if not try_lock(fd, shared=True):
            return os.read(fd, most_bytes)
        path.unlink(missing_ok=True)
        return None
    finally:
        os.close(fd)


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock of a file, which stays as it is."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(fd, shared=True)
    finally:
        os.close(fd)
