"""`exec` without a task in a terminal: a conversation with the executor."""

import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from super_agent.cli.render.choice import choose_renderer
from super_agent.cli.render.renderer import Renderer
from super_agent.cli.terminal.approval import terminal_approver
from super_agent.cli.terminal.instructions import InstructionPrompt
from super_agent.cli.terminal.terminal import Terminal
from super_agent.cli.terminal.typed_lines import history_of
from super_agent.core.errors import ExitCode
from super_agent.core.settings import Settings
from super_agent.session.chat import open_chat
from super_agent.session.run_options import Door, RunOptions, nobody_answers

GREETING = "Say what is to be done. Ctrl-C ends the current action, Ctrl-D the conversation."


def main(options: RunOptions, settings: Settings, *, as_json: bool) -> int:
    """Talk until Ctrl-D, or until somebody ends it elsewhere; returns the exit code.

    Raises `SuperAgentError` for what prevents the conversation from beginning.
    """
    renderer = choose_renderer(as_json, sys.stdout)
    approver = terminal_approver(lambda: _terminal(renderer), sys.stdin.isatty, as_json=as_json)
    answer = nobody_answers if as_json else _answer_from(renderer)
    door, instructions = Door((renderer,), approver=approver, answer=answer), InstructionPrompt()
    try:
        with open_chat(options, settings, door, instructions.wake) as conversation:
            conversation.tell(GREETING)
            history = history_of(settings, conversation.session)
            instructions.open(history, conversation.take_lines, lambda: door.cancellation.cancelled)
            door.cancellation.on_cancel(instructions.wake)
            while (told := instructions.next()) is not None:
                line, is_elsewhere = told
                if is_elsewhere:
                    conversation.tell(f"said on a page: {line}")
                if line.strip():
                    with _interrupting(conversation.cancel):
                        conversation.say(line)
            if door.cancellation.cancelled:
                conversation.tell("ended on a page")
    finally:
        renderer.close()
    return int(ExitCode.INTERRUPTED if door.cancellation.cancelled else ExitCode.OK)


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
