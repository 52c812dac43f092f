"""Children that end with the process that started them, however that ends, or with the step that they were for."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""prctl(2)."""
END_S = 5.0
"""For the kernel to take down what was killed."""
GUARD = 'read -r _ || kill -s KILL -- "-$1"'
"""Ends quietly on a line, and kills on the end of its input, which comes when whoever holds it dies."""
RELEASE_S = 2.0


def dies_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program: the kernel kills it when the thread that started it ends."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died just before
            os._exit(1)

    return bind


class GroupGuard:
    """Has a process group killed when this process dies, however that happens; `dies_with` reaches one process alone.

    Raises OSError where no shell can be started.
    """

    def __init__(self, group: int) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(group)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def release(self) -> None:
        """Leave the group alone from now on: it is over."""
        with suppress(OSError, subprocess.TimeoutExpired):
            self._shell.communicate(b"\n", RELEASE_S)
        if self._shell.poll() is None:
            self._shell.kill()
            self._shell.wait()


@contextmanager
def nothing_left_on_failure() -> Iterator[None]:
    """Where the block raises, every process that was started in it is ended, daemons too, and no other.

    Meanwhile a process below this one whose parent ends becomes this one's child, so that it can still be told whose
    it is; where all goes well it is let go as it is. SIGTERM is an interrupt here. Main thread only.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    before = set(_below())
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except BaseException:
        _end_all_but(before)
        raise
    finally:
        signal.signal(signal.SIGTERM, earlier)
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _below() -> list[psutil.Process]:
    """Everything that hangs on this process, parents before children; what has ended and waits to be asked for too."""
    return psutil.Process().children(recursive=True)


def _end_all_but(kept: set[psutil.Process]) -> None:
    """Again and again, because a process may start another while it is killed."""
    until = time.monotonic() + END_S
    while (left := [each for each in _below() if each not in kept]) and time.monotonic() < until:
        for process in left:
            with suppress(psutil.Error):  # it has ended
                process.kill()
        psutil.wait_procs(left, timeout=0.1)
