"""A started process that takes work on one pipe and answers on another."""

import os
import time
from dataclasses import dataclass

from interpreter.sandbox.start import Process

MAX_ANSWER_BYTES = 65536
"""An answer has some 40 bytes; code that shares the descriptor must not fill our memory."""
DEATH_WAIT_S = 0.25
"""For a process that can answer no more to be gone."""
SIGNALS = {
    134: "it aborted",
    137: "it was killed, perhaps for want of memory",
    139: "it crashed (segmentation fault)",
    159: "it made a system call that the sandbox does not let pass",
}
"""What exit codes above 128 mean: 128 and the signal's number."""


@dataclass(slots=True)
class Dialog:
    """A started process and the pipes to it."""

    process: Process
    request_fd: int
    answer_fd: int
    _partial: bytes = b""
    _broken: bool = False

    def say(self, data: bytes, timeout_s: float) -> bool:
        """Whether all of it could be sent in time; code may have closed or filled the pipe."""
        deadline = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.request_fd, view) :]
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.001)  # the pipe is full: it is read by another process
            except BrokenPipeError:
                return False
        return True

    def answers(self) -> list[list[str]]:
        """The words of each line that has come since."""
        try:
            data = os.read(self.answer_fd, MAX_ANSWER_BYTES)
        except BlockingIOError:
            return []
        self._broken = self._broken or not data
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest[-MAX_ANSWER_BYTES:]
        return [line.decode("utf-8", "replace").split() for line in lines]

    @property
    def broken(self) -> bool:
        """Whether nobody can answer any more."""
        return self._broken

    def why_dead(self, language: str) -> str:
        """Why the process is gone, as far as can be known."""
        process = self.process
        if self.broken and process.exit_code() is None:
            process.wait(DEATH_WAIT_S)
        code = process.exit_code()
        if process.complaint:
            return f"the sandbox was ended: {process.complaint}"
        if code is None:
            return "the code closed the descriptors by which it is controlled"
        return SIGNALS.get(code, f"the {language} process ended with exit code {code}")

    def close(self) -> None:
        """End the process and free the pipes."""
        self.process.close()
        os.close(self.request_fd)
        os.close(self.answer_fd)
