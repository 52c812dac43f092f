"""Children that end with the process that started them, however that ends."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def dies_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program: the kernel kills it when the thread that started it ends."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died just before
            os._exit(1)

    return bind
