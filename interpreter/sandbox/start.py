"""What every kind of sandboxed process offers, and the one place that chooses among the kinds."""

from collections.abc import Callable, Sequence
from typing import Protocol

from interpreter.sandbox.bubblewrap.process import SandboxProcess
from interpreter.sandbox.container.process import ContainerProcess
from interpreter.sandbox.protocol import SandboxPolicy


class Process(Protocol):
    """A started command. `kill` and `close` may come from any thread, the rest from one at a time."""

    output_fd: int
    """Carries stdout and stderr together, in their order; does not block."""
    complaint: str
    """What it was ended for from outside, as the end of a sentence; empty otherwise."""

    @property
    def pid(self) -> int:
        """Of the outermost process, whose end is the end of all others."""

    def exit_code(self) -> int | None:
        """None while it lives; 128 plus the signal's number where a signal ended it."""

    def wait(self, timeout_s: float) -> None:
        """Wait for its end, at most so long."""

    def never_ran(self) -> bool:
        """Whether the sandbox ended without having run the command."""

    def drain(self, on_output: Callable[[bytes], None]) -> int:
        """Hand over what has been written so far and not what comes meanwhile; returns the number of bytes."""

    def settle(self) -> None:
        """The command is ready and has started nothing else yet: `signal_others` will spare it."""

    def signal_others(self, number: int) -> None:
        """Send a signal to all processes inside but the command itself."""

    def kill(self) -> None:
        """End it and everything inside, and wait until that is so; idempotent."""

    def close(self) -> None:
        """Kill it and free what it held; idempotent."""


def start(policy: SandboxPolicy, argv: Sequence[str], *, request_fd: int = -1, answer_fd: int = -1) -> Process:
    """Start a command under the policy; raises `SandboxUnavailable`.

    The two descriptors are the command's ends of a dialog. Inside they may have other numbers: `@REQUEST` and
    `@ANSWER` in its words stand for them, and `@STATE` for a memory file of its own.
    """
    if policy.contained and policy.engine is not None:
        return ContainerProcess(policy, argv, request_fd=request_fd, answer_fd=answer_fd)
    return SandboxProcess(policy, argv, request_fd=request_fd, answer_fd=answer_fd)
