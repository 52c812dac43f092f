"""One task from its opening to the reason it ended."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from super_agent.core.errors import ExitCode, StoreFailed, SuperAgentError
from super_agent.core.events import EndReason
from super_agent.core.settings import Settings
from super_agent.core.snapshots.history import END
from super_agent.core.threads import call_soon
from super_agent.session import run_assembly, run_events
from super_agent.session.mcp_servers import open_tools, tools_line
from super_agent.session.project_instructions import ProjectInstructions, instructions_text, trusted_instructions
from super_agent.session.remote_steering import steerable
from super_agent.session.run_approver import RunApprover, require_approval
from super_agent.session.run_assembly import Assignment, Boundary, RunHandle
from super_agent.session.run_context import ModelSession, RunContext, open_context
from super_agent.session.run_options import Door, RunOptions, RunResult
from super_agent.session.run_persistence import RunPersistence
from super_agent.session.run_request import RunRequest, keep_request
from super_agent.session.run_state import Restored, RunState, WorkState
from super_agent.session.sandbox_policy import require_program
from super_agent.session.setup_command import run_setup
from super_agent.tools.listed import require_listed

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


@dataclass(slots=True)
class _RunOutcome:
    reason: EndReason
    detail: str
    exit_code: ExitCode
    error: SuperAgentError | None = None


class _Cancelled(Exception):
    """The door cancelled before the work began."""


@dataclass(slots=True)
class Clock:
    """The wall time of a run, with what it had used before it was resumed."""

    before_s: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Seconds of this run in all."""
        return self.before_s + time.monotonic() - self.started


def run(options: RunOptions, settings: Settings, door: Door) -> RunResult:
    """Run one task to its end; raises `SuperAgentError` for what is wrong before the run begins."""
    require_listed(settings)
    with open_context(settings, options.workspace, options.python, door.sinks, options.session) as context:
        if options.check is not None and options.setup is None:
            require_program(context.policy, options.check)
        _keep_request(context, options)
        record = RunPersistence.begin(context, run_events.started(context, options.task, options.mode, options.check))
        return carry_out(record, options, door)


def _keep_request(context: RunContext, options: RunOptions) -> None:
    """What a resumption begins again with where a kill comes before the first turn; raises `StoreFailed`."""
    if context.store is None:
        return
    request = RunRequest(
        _first_state(context, options), options.setup, options.yes, context.settings.trust_instructions
    )
    try:
        keep_request(context.session, request)
    except OSError as error:
        raise StoreFailed(f"the session cannot be kept: {error.strerror}", fix="Make room on the disk") from error


def _first_state(context: RunContext, options: RunOptions) -> RunState:
    """A run's state before anything was done."""
    settings, python = context.settings, str(options.python) if options.python is not None else None
    return RunState(
        options.mode, options.task, options.check, python, settings.model, settings.base_url,
        run_events.limits(settings), mcp=settings.mcp,
    )  # fmt: skip


def carry_out(
    record: RunPersistence,
    options: RunOptions,
    door: Door,
    state: RunState | None = None,
    restored: Restored | None = None,
) -> RunResult:
    """Do the work to its end and tell the summary; with `state` and `restored` from where it stood."""
    context, clock = record.context, Clock(state.elapsed_s if state else 0.0)
    work: RunHandle | None = None
    model_session: ModelSession | None = None
    try:
        door = steerable(record, door)
        run_events.announce(context)
        _go_on_unless_cancelled(door)
        trusted = trusted_instructions(context, options.task, door.answer) if restored is None else ()
        _set_up(context, options, door)
        approver = require_approval(context, door.approver, door.cancellation.cancel)
        model_session = run_assembly.open_model_session(context, door.cancellation, strict=options.strict_instance)
        _go_on_unless_cancelled(door)
        if state is not None:
            model_session.counting.totals.update(state.totals)
        tools_asker = open_tools(context, door, approver)
        boundary = _keeper(record, model_session, options, clock)
        work = _work(context, model_session, options, door, boundary, restored, trusted)
        asking = [asker for asker in (approver, tools_asker) if asker is not None]
        end = asyncio.run(_drive(work, door, _limit(context.settings, clock, asking)))
    except SuperAgentError as error:
        end = _RunOutcome("error", str(error), error.exit_code, error)
        if error.exit_code == ExitCode.INTERRUPTED:
            end.reason = "interrupted"
    except (KeyboardInterrupt, _Cancelled):
        end = _RunOutcome("interrupted", "interrupted", ExitCode.INTERRUPTED)
    _keep_the_end(record, end)
    turns, exit_code = work.turns() if work else 0, int(end.exit_code)
    ended = run_events.ended(context, model_session, end.reason, exit_code, end.detail, turns, clock.elapsed_s())
    ended = replace(ended, resumable=record.resumable)
    context.emit(ended)
    return RunResult(ended, exit_code, end.error)


def _set_up(context: RunContext, options: RunOptions, door: Door) -> None:
    if options.setup is None:
        return
    run_setup(context, options.setup, lambda question: options.yes or door.confirm(question))
    if options.check is not None:  # what it names may only have been installed now
        require_program(context.policy, options.check)


def _limit(settings: Settings, clock: Clock, asking: Sequence[RunApprover]) -> "_Limit":
    """What is left of the wall time, in which the time that a person was waited for does not count."""
    left_s = max(settings.max_time_s - clock.before_s, 0.0)
    return _Limit(left_s, settings.max_time_s, lambda: sum(asker.waited_s() for asker in asking))


def _go_on_unless_cancelled(door: Door) -> None:
    if door.cancellation.cancelled:
        raise _Cancelled


def _keep_the_end(record: RunPersistence, end: _RunOutcome) -> None:
    """Keep the files as the run left them, whatever ended it; the first error stands."""
    try:
        record.snapshot(END)
    except SuperAgentError as error:
        if end.error is None:
            end.reason, end.detail, end.exit_code, end.error = "error", str(error), error.exit_code, error


def _keeper(record: RunPersistence, model_session: ModelSession, options: RunOptions, clock: Clock) -> Boundary:
    """What keeps the run's state at each turn boundary."""
    first = _first_state(record.context, options)

    def keep(turns: int, work: WorkState) -> None:
        elapsed_s, totals = round(clock.elapsed_s(), 3), model_session.counting.totals
        record.keep(turns, replace(first, work=work, turns=turns, elapsed_s=elapsed_s, totals=totals).to_json())

    return keep


def _work(
    context: RunContext,
    model_session: ModelSession,
    options: RunOptions,
    door: Door,
    boundary: Boundary,
    restored: Restored | None,
    trusted: tuple[ProjectInstructions, ...],
) -> RunHandle:
    """The team, or the executor alone; AutoGen is imported for the team only."""
    project = instructions_text(trusted, model_session.ready.loaded.context_length)
    earlier = list(restored.lines) if restored is not None else []

    def user_lines() -> list[str]:
        lines = [*earlier, *door.take_lines()]
        earlier.clear()
        return lines

    if options.mode == "team":
        project = "\n\n".join(part for part in (project, tools_line(context)) if part)
    given = Assignment(context, model_session, options.task, options.check, user_lines, boundary, restored, project)
    if options.mode == "team":
        from super_agent.session.team_assembly import assemble_team

        return assemble_team(given)
    from super_agent.session.solo_assembly import assemble_solo

    return assemble_solo(given)


@dataclass(frozen=True, slots=True)
class _Limit:
    """Of wall time in seconds: what is left of `whole_s`; `waited_s` tells what waiting for a person took of it."""

    left_s: float
    whole_s: float
    waited_s: Callable[[], float]


async def _drive(work: RunHandle, door: Door, limit: _Limit) -> _RunOutcome:
    """Await the work with a cancellation and the time limit turned into a stop."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM) if door.signals else ()

    def release_signals() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    def interrupt() -> None:
        release_signals()  # so that a second Ctrl-C is not waited for
        work.stop("interrupted", "interrupted by the user")

    for number in signals:
        loop.add_signal_handler(number, door.cancellation.cancel)
    forget = door.cancellation.on_cancel(lambda: call_soon(loop, interrupt))
    began = loop.time()
    timer: asyncio.TimerHandle

    def at_deadline() -> None:
        nonlocal timer
        if (left := began + limit.left_s + limit.waited_s() - loop.time()) > 0:
            timer = loop.call_later(left, at_deadline)
        else:
            work.stop("time_limit", f"{limit.whole_s:g} s were not enough; raise --max-time to go on")

    timer = loop.call_later(limit.left_s, at_deadline)
    try:
        reason, detail = await work.start()
    finally:
        timer.cancel()
        forget()
        release_signals()
    return _RunOutcome(reason, detail, EXIT_CODES[reason])
