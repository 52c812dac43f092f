"""The one reader of the terminal: a line goes to the pending question, else to the run."""

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO


class Terminal:
    """Reads lines in a thread while it is open. Without a terminal there are no lines and every answer is None."""

    def __init__(self, source: TextIO | None, prompt_to: TextIO) -> None:
        self._source = source
        self._prompt_to = prompt_to
        self._lines: deque[str] = deque()
        self._answer: str | None = None
        self._asking = False
        self._ended = source is None
        self._changed = threading.Condition()
        self._wake_read, self._wake_write = os.pipe()
        self._thread: threading.Thread | None = None
        if source is not None:
            self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
            self._thread.start()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator["Terminal"]:
        """On standard input where it is a terminal (and the run is in its foreground)."""
        usable = sys.stdin is not None and sys.stdin.isatty() and _in_foreground(sys.stdin)
        terminal = cls(sys.stdin if usable else None, sys.stderr)
        try:
            yield terminal
        finally:
            terminal.close()

    def take_lines(self) -> Sequence[str]:
        """The lines typed since the last call, oldest first, without those that answered a question."""
        with self._changed:
            taken = list(self._lines)
            self._lines.clear()
        return taken

    def ask(self, question: str) -> str | None:
        """Put a question and wait for one line; None at once where nobody can answer."""
        with self._changed:
            if self._ended:
                return None
            self._asking, self._answer = True, None
            self._prompt_to.write(f"{question} ")
            self._prompt_to.flush()
            self._changed.wait_for(lambda: self._answer is not None or self._ended)
            self._asking = False
            return self._answer

    def confirm(self, question: str) -> bool:
        """Whether the answer begins with y; no answer possible means no."""
        answer = self.ask(f"{question} [y/N]")
        return answer is not None and answer.strip().lower().startswith("y")

    def close(self) -> None:
        """End the reader; idempotent."""
        if self._wake_write >= 0:
            os.close(self._wake_write)
            self._wake_write = -1
            if self._thread is not None:
                self._thread.join(2.0)
            os.close(self._wake_read)

    def _read(self) -> None:
        source = self._source
        if source is None:
            return
        rest = b""
        while True:
            ready, _, _ = select.select([source.fileno(), self._wake_read], [], [])
            if self._wake_read in ready:
                break
            data = os.read(source.fileno(), 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._deliver(line.decode("utf-8", "replace").strip("\r"))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _deliver(self, line: str) -> None:
        with self._changed:
            if self._asking and self._answer is None:
                self._answer = line
                self._changed.notify_all()
            elif line.strip():
                self._lines.append(line.strip())


def _in_foreground(source: TextIO) -> bool:
    """A background job that reads its terminal is stopped by the kernel."""
    try:
        return os.tcgetpgrp(source.fileno()) == os.getpgrp()
    except OSError:
        return False
