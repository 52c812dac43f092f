"""`exec` without a task in a terminal: a conversation with the executor."""

import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from prompt_toolkit import PromptSession

from super_agent.cli.render.choice import choose_renderer
from super_agent.cli.render.renderer import Renderer
from super_agent.cli.terminal.approval import terminal_approver
from super_agent.cli.terminal.terminal import Terminal
from super_agent.cli.terminal.typed_lines import history_of
from super_agent.core.settings import Settings
from super_agent.session.conversation import open_conversation
from super_agent.session.options import Door, RunOptions, nobody_answers

GREETING = "Say what is to be done. Ctrl-C ends the current action, Ctrl-D the conversation."


def main(options: RunOptions, settings: Settings, *, as_json: bool) -> int:
    """Talk until Ctrl-D; returns 0. Raises `SuperAgentError` for what prevents the conversation from beginning."""
    renderer = choose_renderer(as_json, sys.stdout)
    approver = terminal_approver(lambda: _terminal(renderer), sys.stdin.isatty, as_json=as_json)
    try:
        door = Door((renderer,), approver=approver, answer=nobody_answers if as_json else _answer_from(renderer))
        with open_conversation(options, settings, door) as conversation:
            conversation.tell(GREETING)
            session: PromptSession[str] = PromptSession(history=history_of(settings, conversation.session))
            while (line := _next_line(session)) is not None:
                if line.strip():
                    with _interrupting(conversation.cancel):
                        conversation.say(line)
    finally:
        renderer.close()
    return 0


def _next_line(session: PromptSession[str]) -> str | None:
    """One line; Ctrl-C clears it, Ctrl-D (None) ends the conversation."""
    while True:
        try:
            return session.prompt("\n› ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return None


@contextmanager
def _terminal(renderer: Renderer) -> Iterator[Terminal]:
    """For one question; what was typed before it is dropped, so that it cannot become the answer."""
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    with Terminal.open(renderer.typing) as terminal:
        yield terminal


def _answer_from(renderer: Renderer) -> Callable[[str], bool | None]:
    def answer(question: str) -> bool | None:
        with _terminal(renderer) as terminal:
            return terminal.answer(question)

    return answer


@contextmanager
def _interrupting(cancel: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C during an action ends the action."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        cancel()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
