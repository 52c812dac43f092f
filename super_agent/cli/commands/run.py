"""`run` and `exec`: one task from the command line, in the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from super_agent.cli.flags import Flags
from super_agent.cli.render.choice import choose_renderer
from super_agent.cli.terminal.approval import terminal_approver
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import UsageError
from super_agent.core.settings import load_settings
from super_agent.session.run_options import Door, RunOptions, RunResult, nobody_answers


def main(
    task: str | None, file: Path | None, options: RunOptions, flags: Flags, env_file: Path | None, *, as_json: bool
) -> int:
    """Run the task that is given, or lies in a file or on standard input; returns the exit code.

    Raises `SuperAgentError` for what is wrong before the run begins.
    """
    settings = load_settings(flags, env_file=env_file)
    if options.mode == "exec" and task is None and file is None and sys.stdin.isatty():
        from super_agent.cli.commands import chat

        return chat.main(options, settings, as_json=as_json)
    from super_agent.session.run import run

    options = replace(options, task=read_task(task, file))
    return through_terminal(lambda door: run(options, settings, door), as_json=as_json)


def through_terminal(work: Callable[[Door], RunResult], *, as_json: bool) -> int:
    """Do the work with the terminal as its door; returns the exit code. Raises what ended it, after it was shown."""
    with terminal_door(as_json=as_json) as door:
        result = work(door)
    if result.error is not None:
        raise result.error
    return result.exit_code


@contextmanager
def terminal_door(*, as_json: bool) -> Iterator[Door]:
    """The terminal for as long as a run has it."""
    renderer = choose_renderer(as_json, sys.stdout)
    with Terminal.open(renderer.typing) as terminal:
        try:
            yield Door(
                (renderer,),
                take_lines=terminal.take_lines,
                confirm=terminal.confirm,
                answer=nobody_answers if as_json else terminal.answer,
                approver=terminal_approver(lambda: nullcontext(terminal), lambda: terminal.can_answer, as_json=as_json),
                signals=True,
            )
        finally:
            renderer.close()


def read_task(given: str | None, file: Path | None) -> str:
    """The task from the argument, `--file` or standard input; raises `UsageError` where it is empty."""
    if file is not None and given is not None:
        raise UsageError("a task and --file were given", fix="Give one of them")
    try:
        if file is not None:
            task = file.read_text(encoding="utf-8")
        elif given in (None, "-"):
            task = "" if sys.stdin.isatty() and given is None else sys.stdin.read()
            task.encode()  # in some locales Python lets bytes through that are no text
        else:
            task = given or ""
    except (OSError, UnicodeError) as error:
        raise UsageError(f"the task cannot be read: {error}", fix="Name a readable UTF-8 text file") from error
    if not task.strip():
        raise UsageError("the task is empty", fix='Say what is to be done: super-agent run "Write …"')
    return task
