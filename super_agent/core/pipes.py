"""Waiting for pipes and reading them, for whatever kind of process is at their other end."""

import array
import fcntl
import os
import select
import termios
import time
from collections.abc import Callable, Sequence

READ_BYTES = 1024 * 1024
PIPE_BYTES = 1024 * 1024
"""Linux allows an unprivileged pipe of 1 MiB; larger reads mean fewer wake-ups when output floods."""


def wait_readable(fds: Sequence[int], timeout_s: float | None) -> list[int]:
    """Which of the descriptors can be read now, waiting at most so long, or (None) until one can."""
    return _wait(fds, select.POLLIN, timeout_s)


def wait_writable(fd: int, timeout_s: float) -> bool:
    """Whether the descriptor can be written to now, waiting at most so long."""
    return bool(_wait([fd], select.POLLOUT, timeout_s))


def remaining(deadline: float) -> float:
    """Seconds until a `time.monotonic` deadline, at least 0."""
    return max(0.0, deadline - time.monotonic())


def read_now(fd: int) -> bytes:
    """What is there to read now; empty where nothing is, or at the end."""
    try:
        return os.read(fd, READ_BYTES)
    except BlockingIOError:
        return b""


def drain(fd: int, on_output: Callable[[bytes], None]) -> int:
    """Hand over what has been written so far and not what comes meanwhile; returns the number of bytes."""
    waiting = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, waiting)
    total = 0
    while total < waiting[0] and (data := read_now(fd)):
        total += len(data)
        on_output(data)
    return total


def widen(fd: int) -> None:
    """Give a pipe the largest size that is allowed without privileges."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return  # the user's pipe quota is used up: 64 KiB works too, with more wake-ups


def _wait(fds: Sequence[int], event: int, timeout_s: float | None) -> list[int]:
    poller = select.poll()
    for fd in fds:
        poller.register(fd, event)
    return [fd for fd, _ in poller.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000)]
