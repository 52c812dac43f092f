"""One process at a time works on a workspace's snapshots; whoever waits for it says so, and not for ever."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from super_agent.core.errors import SnapshotFailed
from super_agent.core.locks import lock_within, unlock

POLL_EVERY_S = 0.02
TELL_AFTER_S = 2.0
"""A snapshot of a usual workspace takes less."""
WAIT_S = 300.0
"""The first one of a gigabyte takes half a minute; who holds it for longer is stopped or stuck."""


@contextmanager
def locked(lock: int, tell: Callable[[str], None] = lambda _text: None, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of this descriptor; raises `SnapshotFailed` where another process keeps it for `wait_s`."""
    if not lock_within(lock, min(wait_s, TELL_AFTER_S), POLL_EVERY_S):
        if wait_s > TELL_AFTER_S:
            tell(f"waiting for the workspace's snapshots, which {_holder(lock)} works on")
        if not lock_within(lock, wait_s - TELL_AFTER_S, POLL_EVERY_S):
            raise SnapshotFailed(
                f"the workspace's snapshots are held by {_holder(lock)} for {wait_s:.0f} s",
                fix="End it, or let it go on (fg, kill -CONT)",
            )
    try:
        yield
    finally:
        unlock(lock)


def _holder(lock: int) -> str:
    """As the kernel tells it (proc_locks(5)): number, FLOCK, ADVISORY, WRITE, pid, device:inode, range."""
    inode = str(os.fstat(lock).st_ino)
    with open("/proc/locks", encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
                return f"pid {fields[4]}"
    return "another process"
