"""Children that end with the process that started them, however that ends."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1
"""prctl(2)."""
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
