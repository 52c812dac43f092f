"""The one reader of the terminal: a line goes to the pending question, else to the run."""

import codecs
import os
import sys
import termios
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

from super_agent.cli.render.renderer import Typing
from super_agent.cli.terminal.line_editor import LineEditor
from super_agent.core.pipes import wait_readable

PAUSE_POLL_EVERY_S = 0.1
"""How often a lender looks whether the reader has ended instead of pausing."""
BACKGROUND_WAIT_S = 0.5
"""How often a job in the background looks whether it is in front again; reading before would stop it."""


class Terminal:
    """Reads lines in a thread while it is open. Without a terminal there are no lines and every answer is None."""

    def __init__(self, source: TextIO | None, prompt_to: TextIO, typing: Typing | None = None) -> None:
        """Where `typing` shows the keys, the terminal's own echo is off until `close`."""
        self._source = source
        self._prompt_to = prompt_to
        self._typing = typing
        self._editor = LineEditor()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: deque[str] = deque()
        self._question: str | None = None
        self._answer: str | None = None
        self._answered = False
        self._ended = source is None
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._echo = _Echo(source) if source is not None and typing is not None and source.isatty() else None
        self._wake_read, self._wake_write = os.pipe()
        self._lent, self._paused, self._back = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        if source is not None:
            self._thread = threading.Thread(target=self._read, args=(source.fileno(),), name="terminal", daemon=True)
            self._thread.start()

    @classmethod
    @contextmanager
    def open(cls, typing: Typing | None = None) -> Iterator["Terminal"]:
        """On standard input where it is a terminal (and the run is in its foreground)."""
        usable = sys.stdin is not None and sys.stdin.isatty() and _in_foreground(sys.stdin.fileno())
        terminal = cls(sys.stdin if usable else None, sys.stderr, typing)
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

    @property
    def can_answer(self) -> bool:
        """Whether there is somebody to ask, as far as one can know."""
        return not self._ended

    def ask(self, question: str, taken_back: Callable[[], bool] = lambda: False) -> str | None:
        """Put a question and wait for one line; None at once where nobody can answer, and once it is taken back.

        Whoever takes it back calls `recheck`.

        What was being typed for the run waits, so that it cannot become the answer. One question at a time.
        """
        with self._asking, self._changed:
            if self._ended:
                return None
            typed, self._editor.text = self._editor.text, ""
            self._question, self._answer, self._answered = question, None, False
            try:
                self._put(question)
                self._changed.wait_for(lambda: self._answered or self._ended or taken_back())
                return self._answer
            finally:
                self._question = None
                self._editor.text = typed
                self._show()

    def recheck(self) -> None:
        """Have a pending question see whether it was taken back; from any thread."""
        with self._changed:
            self._changed.notify_all()

    def confirm(self, question: str) -> bool:
        """Whether the answer is y or yes; no answer possible means no."""
        return self.answer(question) is True

    def answer(self, question: str) -> bool | None:
        """The same, with None where nobody answered."""
        answer = self.ask(f"{question} [y/N]")
        return answer.strip().lower() in ("y", "yes") if answer is not None else None

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Another program has the terminal for a while: nothing is read here, and its echo and line mode are back."""
        if self._thread is None or self._wake_write < 0:
            yield
            return
        self._lent.set()
        self._back.clear()
        os.write(self._wake_write, b"!")
        while self._thread.is_alive() and not self._paused.wait(PAUSE_POLL_EVERY_S):
            continue
        try:
            if self._echo is not None:
                self._echo.restore()
            yield
        finally:
            if self._echo is not None:
                self._echo.restore()  # whatever the other left
                self._echo.off()
            self._lent.clear()
            self._paused.clear()
            self._back.set()

    def close(self) -> None:
        """End the reader and give the terminal its echo back; idempotent."""
        if self._wake_write >= 0:
            os.close(self._wake_write)
            self._wake_write = -1
            self._back.set()
            if self._thread is not None:
                self._thread.join()
            os.close(self._wake_read)
            if self._echo is not None:
                self._echo.restore()

    def _read(self, descriptor: int) -> None:
        try:
            while data := self._next_unless_lent(descriptor):
                self._take(self._decoder.decode(data))
        finally:
            with self._changed:
                if self._typing is None and (rest := self._editor.take()):
                    self._deliver(rest)  # the last line of a pipe may lack its end
                self._ended = True
                self._changed.notify_all()
            self._paused.set()

    def _next_unless_lent(self, descriptor: int) -> bytes:
        """As `_next`, which `lent` interrupts: then the terminal is left alone until it is back."""
        while not (data := self._next(descriptor)) and self._lent.is_set():
            if not os.read(self._wake_read, 1):
                return b""  # closed meanwhile
            self._paused.set()
            self._back.wait()
        return data

    def _next(self, descriptor: int) -> bytes:
        """What was typed; empty when the source has ended or `close` was called."""
        while self._echo is not None and not _in_foreground(descriptor):
            if wait_readable([self._wake_read], BACKGROUND_WAIT_S):
                return b""
        if self._wake_read in wait_readable([descriptor, self._wake_read], None):
            return b""
        if self._echo is not None:
            self._echo.off()  # a shell gives it back when the job was stopped and goes on
        with suppress(OSError):  # the terminal is gone
            return os.read(descriptor, 65536)
        return b""

    def _take(self, typed: str) -> None:
        with self._changed:
            for line in self._editor.feed(typed):
                self._deliver(line)
            self._show()

    def _deliver(self, line: str | None) -> None:
        if self._question is not None and not self._answered:
            self._settle(line)
        elif line and line.strip():
            self._lines.append(line.strip())
            if self._typing is not None:
                self._typing.keep_typed("", line.strip())

    def _settle(self, answer: str | None) -> None:
        self._answer, self._answered = answer, True
        if self._typing is not None and self._question is not None:
            self._typing.keep_typed(self._question, answer or "")
        self._changed.notify_all()

    def _put(self, question: str) -> None:
        if self._typing is None:
            self._prompt_to.write(f"{question} ")
            self._prompt_to.flush()
        else:
            self._show()

    def _show(self) -> None:
        if self._typing is not None:
            pending = self._question if self._question is not None and not self._answered else ""
            self._typing.show_typing(pending, self._editor.text)


class _Echo:
    """A terminal's echo and line mode; Ctrl-C keeps its meaning."""

    def __init__(self, source: TextIO) -> None:
        self._descriptor = source.fileno()
        self._before = termios.tcgetattr(self._descriptor)
        self.off()

    def off(self) -> None:
        """Give each key at once and show none."""
        try:
            now = termios.tcgetattr(self._descriptor)
        except termios.error:  # it is gone, as the next read will find
            return
        quiet = now[3] & ~(termios.ECHO | termios.ICANON)
        if now[3] != quiet:
            now[3] = quiet
            termios.tcsetattr(self._descriptor, termios.TCSANOW, now)

    def restore(self) -> None:
        """As it was; a job in the background leaves the terminal to whoever is in front."""
        if _in_foreground(self._descriptor):
            with suppress(termios.error):  # it is gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)


def _in_foreground(descriptor: int) -> bool:
    """A background job that reads its terminal is stopped by the kernel; where there are no jobs, nobody is."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True
