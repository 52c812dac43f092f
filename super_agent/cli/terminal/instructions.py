"""What is to be done next in a conversation: typed at the prompt, or said elsewhere while the prompt stands."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.history import History

from super_agent.session.run_options import no_lines

PROMPT = "\n› "


class _Elsewhere(Exception):
    """Something came that the prompt is not to wait for."""


class InstructionPrompt:
    """One terminal's prompt. `wake` may come from any thread and at any time, also before `open`."""

    def __init__(self) -> None:
        self._session: PromptSession[str] | None = None
        self._take_lines: Callable[[], Sequence[str]] = no_lines
        self._is_over: Callable[[], bool] = lambda: False
        self._lines: deque[str] = deque()
        self._typed = ""

    def open(self, history: History, take_lines: Callable[[], Sequence[str]], is_over: Callable[[], bool]) -> None:
        """Begin; `take_lines` gives what was said elsewhere, `is_over` whether somebody there ended it."""
        self._session = PromptSession(history=history)
        self._take_lines, self._is_over = take_lines, is_over

    def wake(self) -> None:
        """Look whether something came from elsewhere."""
        loop = self._session.app.loop if self._session is not None else None
        if loop is not None:
            with suppress(RuntimeError):  # the prompt has just been answered; `next` looks by itself
                loop.call_soon_threadsafe(self._leave)

    def next(self) -> tuple[str, bool] | None:
        """One line, and whether it was said elsewhere; None ends the conversation (Ctrl-D, or elsewhere).

        Ctrl-C clears the line. What is half typed when another line comes stands there again afterwards.
        """
        while not self._is_over():
            self._lines.extend(self._take_lines())
            if self._lines:
                return self._lines.popleft(), True
            if self._session is None:
                return None
            typed, self._typed = self._typed, ""
            try:
                return self._session.prompt(PROMPT, default=typed, pre_run=self._leave), False
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None
            except _Elsewhere:
                self._typed = self._session.default_buffer.text
        return None

    def _leave(self) -> None:
        app = self._session.app if self._session is not None else None
        if app is None or not app.is_running or app.is_done:
            return
        self._lines.extend(self._take_lines())
        if self._lines or self._is_over():
            app.exit(exception=_Elsewhere())
