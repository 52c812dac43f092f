"""`run` and `exec`: one task from the command line, in the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent.cli.render.choice import choose_renderer
from super_agent.cli.terminal.approval import terminal_approver
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import UsageError
from super_agent.core.settings import load_settings
from super_agent.session.options import Door, Mode, RunOptions, RunResult, nobody_answers


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said beside the settings."""

    task: str | None
    file: Path | None
    workspace: Path
    check: str | None
    setup: str | None
    yes: bool
    mode: Mode
    python: Path | None
    json: bool
    strict_instance: bool

    def for_task(self, task: str) -> RunOptions:
        """The same, without what is the terminal's."""
        return RunOptions(
            task, self.workspace, self.mode, self.check, self.setup, self.yes, self.python, self.strict_instance
        )


def main(options: Options, flags: dict[str, Any], env_file: Path | None) -> int:
    """Run one task; returns the exit code. Raises `SuperAgentError` for what is wrong before the run begins."""
    settings = load_settings(flags, env_file=env_file)
    if options.mode == "exec" and options.task is None and options.file is None and sys.stdin.isatty():
        from super_agent.cli.commands import talk

        return talk.main(options.for_task(""), settings, as_json=options.json)
    from super_agent.session.drive import run

    task = read_task(options)
    return through_terminal(lambda door: run(options.for_task(task), settings, door), as_json=options.json)


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


def read_task(options: Options) -> str:
    """The task from the argument, `--file` or standard input; raises `UsageError` where it is empty."""
    if options.file is not None and options.task is not None:
        raise UsageError("a task and --file were given", fix="Give one of them")
    try:
        if options.file is not None:
            task = options.file.read_text(encoding="utf-8")
        elif options.task in (None, "-"):
            task = "" if sys.stdin.isatty() and options.task is None else sys.stdin.read()
        else:
            task = options.task or ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the task cannot be read: {error}", fix="Name a readable UTF-8 text file") from error
    if not task.strip():
        raise UsageError("the task is empty", fix='Say what is to be done: super-agent run "Write …"')
    return task
