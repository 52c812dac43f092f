"""`exec` without a task in a terminal: a conversation with the executor."""

import signal
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from prompt_toolkit import PromptSession

from interpreter.executor import Executor
from super_agent.cli.commands.run import Options
from super_agent.cli.render.choice import Renderer, choose_renderer
from super_agent.cli.terminal.approval import require_approval, why_nobody
from super_agent.cli.terminal.terminal import Terminal
from super_agent.cli.terminal.typed_lines import history_of
from super_agent.core.errors import Interrupted, SuperAgentError
from super_agent.core.events import Notice, TurnStarted
from super_agent.core.settings import Settings
from super_agent.session import wiring
from super_agent.session.record import Record

GREETING = "Say what is to be done. Ctrl-C ends the current action, Ctrl-D the conversation."

CONVERSATION = "(a conversation)"
"""In place of a task, where sessions are listed."""


def main(options: Options, settings: Settings) -> int:
    """Talk until Ctrl-D; returns 0. Raises `SuperAgentError` for what prevents the conversation from beginning."""
    renderer = choose_renderer(options.json, sys.stdout)
    with wiring.lay_ground(settings, options.workspace, options.python, (renderer,)) as ground:
        try:
            began = time.monotonic()
            facts = wiring.started(ground, CONVERSATION, "exec", None)
            record = Record.begin(ground, facts, is_conversation=True)
            wiring.announce(ground)
            halves = wiring.join_halves(ground, strict=options.strict_instance)
            nobody = why_nobody(options.json, sys.stdin.isatty(), sys.stdout.isatty())
            require_approval(ground, lambda: _terminal(renderer), nobody)
            executor = wiring.build_executor(ground, halves)
            ground.emit(Notice("info", GREETING))
            session: PromptSession[str] = PromptSession(history=history_of(settings, ground.session))
            turn = 0
            while (line := _next_line(session)) is not None:
                if line.strip():
                    turn += 1
                    ground.emit(TurnStarted(turn))
                    _carry_out(executor, line, ground)
                    record.snapshot(str(turn))
                    halves.at_turn_start()
            if record.recorder is not None:  # the user ended it and needs no summary; whoever looks back does
                ground.stream.sinks = (record.recorder,)
                ground.emit(wiring.ended(ground, halves, "finished", 0, "", turn, time.monotonic() - began))
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


def _carry_out(executor: Executor, instruction: str, ground: wiring.Ground) -> None:
    with _interrupting(executor):
        try:
            executor.carry_out(instruction)
        except Interrupted:
            ground.emit(Notice("warning", "interrupted; the conversation goes on"))
        except SuperAgentError as error:
            ground.emit(Notice("error", error.what, error.fix))


@contextmanager
def _interrupting(executor: Executor) -> Iterator[None]:
    """Ctrl-C during an action ends the action."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        executor.cancel()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
