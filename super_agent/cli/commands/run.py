"""`run` and `exec`: one task from the command line to the reason it ended."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from super_agent.cli.render.choice import Renderer, choose_renderer
from super_agent.cli.terminal.approval import require_approval, why_nobody
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import ExitCode, StoreFailed, SuperAgentError, UsageError
from super_agent.core.events import EndReason, RunEnded
from super_agent.core.settings import load_settings
from super_agent.session import wiring
from super_agent.session.begun import Begun, keep_begun
from super_agent.session.record import END, Record
from super_agent.session.run_state import Restored, RunState, WorkState

EXIT_CODES: dict[EndReason, ExitCode] = {
    "check_passed": ExitCode.OK,
    "accepted": ExitCode.OK,
    "finished": ExitCode.OK,
    "no_progress": ExitCode.NOT_DONE,
    "turn_limit": ExitCode.NOT_DONE,
    "time_limit": ExitCode.NOT_DONE,
    "token_limit": ExitCode.NOT_DONE,
    "interrupted": ExitCode.INTERRUPTED,
    "error": ExitCode.NOT_DONE,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said beside the settings."""

    task: str | None
    file: Path | None
    workspace: Path
    check: str | None
    setup: str | None
    yes: bool
    mode: Literal["team", "solo", "exec"]
    python: Path | None
    json: bool
    strict_instance: bool


Boundary = Callable[[int, WorkState], None]
"""Told the number of complete turns and the state to go on from."""


@dataclass(slots=True)
class Work:
    """A run under way: how to start it, how to stop it from a signal handler, how many turns it has had."""

    start: Callable[[], Awaitable[tuple[EndReason, str]]]
    stop: Callable[[EndReason, str], None]
    turns: Callable[[], int]


@dataclass(slots=True)
class _End:
    reason: EndReason
    detail: str
    exit_code: ExitCode
    error: SuperAgentError | None = None


@dataclass(slots=True)
class Clock:
    """The wall time of a run, with what it had used before it was resumed."""

    before_s: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Seconds of this run in all."""
        return self.before_s + time.monotonic() - self.started


def main(options: Options, flags: dict[str, Any], env_file: Path | None) -> int:
    """Run one task; returns the exit code. Raises `SuperAgentError` for what is wrong before the run begins."""
    settings = load_settings(flags, env_file=env_file)
    if options.mode == "exec" and options.task is None and options.file is None and sys.stdin.isatty():
        from super_agent.cli.commands import talk

        return talk.main(options, settings)
    task = read_task(options)
    renderer = choose_renderer(options.json, sys.stdout)
    with Terminal.open(renderer.typing) as terminal:
        try:
            with wiring.lay_ground(settings, options.workspace, options.python, (renderer,)) as ground:
                if options.check is not None and options.setup is None:
                    wiring.require_program(ground, options.check)
                keep_asked(ground, options, task)
                record = Record.begin(ground, wiring.started(ground, task, options.mode, options.check))
                return carry_out(record, options, task, renderer, terminal)
        finally:
            renderer.close()


def keep_asked(ground: wiring.Ground, options: Options, task: str) -> None:
    """What `resume` begins again with where a kill comes before the first turn; raises `StoreFailed`."""
    if ground.store is None:
        return
    settings, python = ground.settings, str(options.python) if options.python is not None else None
    state = RunState(
        options.mode, task, options.check, python, settings.model, settings.base_url, wiring.limits(settings),
        WorkState("", ""),
    )  # fmt: skip
    try:
        keep_begun(ground.session, Begun(state, options.setup, options.yes))
    except OSError as error:
        raise StoreFailed(f"the session cannot be kept: {error.strerror}", fix="Make room on the disk") from error


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


def carry_out(
    record: Record,
    options: Options,
    task: str,
    renderer: Renderer,
    terminal: Terminal,
    state: RunState | None = None,
    restored: Restored | None = None,
) -> int:
    """Do the work to its end and tell the summary; with `state` and `restored` from where it stood."""
    ground, clock = record.ground, Clock(state.elapsed_s if state else 0.0)
    settings = ground.settings
    work: Work | None = None
    halves: wiring.Halves | None = None
    try:
        wiring.announce(ground)
        if options.setup is not None:
            wiring.run_setup(ground, options.setup, lambda question: options.yes or terminal.confirm(question))
            if options.check is not None:  # what it names may only have been installed now
                wiring.require_program(ground, options.check)
        nobody = why_nobody(options.json, terminal.can_answer, sys.stdout.isatty())
        approver = require_approval(ground, lambda: nullcontext(terminal), nobody)
        halves = wiring.join_halves(ground, strict=options.strict_instance)
        if state is not None:
            halves.counting.totals.update(state.totals)
        boundary = _keeper(record, halves, options, task, clock)
        work = _work(ground, halves, options, task, terminal, boundary, restored)
        waited_s = approver.waited_s if approver is not None else lambda: 0.0
        end = asyncio.run(_drive(work, max(settings.max_time_s - clock.before_s, 0.0), settings.max_time_s, waited_s))
    except SuperAgentError as error:
        end = _End("error", str(error), error.exit_code, error)
        if error.exit_code == ExitCode.INTERRUPTED:
            end.reason = "interrupted"
    except KeyboardInterrupt:
        end = _End("interrupted", "interrupted", ExitCode.INTERRUPTED)
    _keep_the_end(record, end)
    summary = _summary(ground, halves, end, work.turns() if work else 0, clock)
    ground.emit(replace(summary, resumable=record.resumable))
    if end.error is not None:
        renderer.close()
        raise end.error
    return int(end.exit_code)


def _keep_the_end(record: Record, end: _End) -> None:
    """Keep the files as the run left them, whatever ended it; the first error stands."""
    try:
        record.snapshot(END)
    except SuperAgentError as error:
        if end.error is None:
            end.reason, end.detail, end.exit_code, end.error = "error", str(error), error.exit_code, error


def _keeper(record: Record, halves: wiring.Halves, options: Options, task: str, clock: Clock) -> Boundary:
    """What keeps the run's state at each turn boundary."""
    settings = record.ground.settings

    def keep(turns: int, work: WorkState) -> None:
        python = str(options.python) if options.python is not None else None
        state = RunState(
            options.mode,
            task,
            options.check,
            python,
            settings.model,
            settings.base_url,
            wiring.limits(settings),
            work,
            turns,
            round(clock.elapsed_s(), 3),
            halves.counting.totals,
        )
        record.keep(turns, state.to_json())

    return keep


def _work(
    ground: wiring.Ground,
    halves: wiring.Halves,
    options: Options,
    task: str,
    terminal: Terminal,
    boundary: Boundary,
    restored: Restored | None,
) -> Work:
    """The team, or the executor alone; AutoGen is imported for the team only."""
    earlier = list(restored.lines) if restored is not None else []

    def user_lines() -> list[str]:
        lines = [*earlier, *terminal.take_lines()]
        earlier.clear()
        return lines

    if options.mode == "team":
        from super_agent.session.team import team_work

        return team_work(ground, halves, options.check, task, user_lines, boundary, restored)
    from super_agent.session.solo import solo_work

    return solo_work(ground, halves, options.check, task, user_lines, boundary, restored)


async def _drive(work: Work, time_left_s: float, max_time_s: float, waited_s: Callable[[], float]) -> _End:
    """Await the work with Ctrl-C and the time limit turned into a stop; a second Ctrl-C is not waited for.

    `waited_s` tells how long the run has waited for a person, which does not count.
    """
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        work.stop("interrupted", "interrupted by the user")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    began = loop.time()
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        if (left := began + time_left_s + waited_s() - loop.time()) > 0:
            timer = loop.call_later(left, look)
        else:
            work.stop("time_limit", f"{max_time_s:g} s were not enough; raise --max-time to go on")

    timer = loop.call_later(time_left_s, look)
    try:
        reason, detail = await work.start()
    finally:
        timer.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return _End(reason, detail, EXIT_CODES[reason])


def _summary(ground: wiring.Ground, halves: wiring.Halves | None, end: _End, turns: int, clock: Clock) -> RunEnded:
    return wiring.ended(ground, halves, end.reason, int(end.exit_code), end.detail, turns, clock.elapsed_s())
