"""The tools: a run is started, waited for and cancelled; sessions are looked at and taken back."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio

from super_agent.core.errors import UsageError
from super_agent.core.sanitize import printable_path
from super_agent.core.settings import load_settings
from super_agent.core.threads import start_in_thread
from super_agent.mcp.allowed_folders import Roots
from super_agent.mcp.run_jobs import STOP_S, Job, Jobs, raise_error
from super_agent.mcp.task_run import NewRun, NextRun, TaskRun
from super_agent.mcp.tool_schemas import (
    DiffResult,
    InstanceResult,
    SessionList,
    TaskRequest,
    TaskResult,
    UndoRequest,
    UndoResult,
)
from super_agent.session.run_options import ResumeOptions, RunOptions

if TYPE_CHECKING:
    from super_agent.mcp.allowed_sessions import AllowedSessions

REPORT_EVERY_S = 5.0
"""The strictest client known gives up after 60 s without a sign; the promise is 10 s."""
REPORT_AT_MOST_EVERY_S = 1.0
POLL_EVERY_S = 0.5
"""At a run of another process, in the store."""

T = TypeVar("T")


class Reporting(Protocol):
    """Where progress goes: the library's context of a call."""

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Nothing happens where the client wants none."""


@dataclass(slots=True)
class Tools:
    """What the tools share; `flags` are settings of the command line by their names."""

    roots: Roots
    flags: dict[str, Any]
    env_file: Path | None
    jobs: Jobs = field(default_factory=Jobs)

    @property
    def allowed_sessions(self) -> "AllowedSessions":
        """The sessions that may be seen."""
        from super_agent.mcp.allowed_sessions import (
            AllowedSessions,  # with all that snapshots need: not before they are
        )

        return AllowedSessions(self.roots, self.env_file)

    async def run_task(self, call: Reporting, asked: TaskRequest, wait_s: float | None, diff_chars: int) -> TaskResult:
        """Start a run, or have a session go on, and wait for it; a cancelled call cancels it."""
        settings = load_settings(self.flags | {"max_turns": asked.max_turns}, env_file=self.env_file)
        if settings.store == "off":
            raise UsageError("the session store is off, and results are kept in it", fix="Set SUPER_AGENT_STORE=on")
        work: TaskRun
        if asked.session is None:
            options = RunOptions(asked.task, self.roots.workspace(asked.workspace), asked.mode or "team", asked.check)
            work = NewRun(options, settings)
        else:
            work = await in_thread(lambda: self._next_run(asked, asked.session or ""))
        job = self.jobs.start(work)
        try:
            await self._follow(call, job, wait_s)
        except asyncio.CancelledError:
            job.cancellation.cancel()
            with anyio.CancelScope(shield=True):  # the library's scopes cancel each later await, too
                await job.over(STOP_S)
            raise
        raise_error(job)
        return await in_thread(lambda: self._result(job.progress.session, job, diff_chars))

    async def get_result(self, call: Reporting, session: str, wait_s: float, diff_chars: int) -> TaskResult:
        """What became of a run, wherever it was started; a cancelled call leaves the run alone."""
        until = time.monotonic() + wait_s
        with_id = await in_thread(lambda: self._id(session))
        job = self.jobs.of(with_id)
        if job is not None:
            await self._follow(call, job, wait_s)
        due = time.monotonic()
        while True:
            result = await in_thread(lambda: self._result(with_id, job, diff_chars))
            left = until - time.monotonic()
            if result.outcome != "running" or left <= 0:
                return result
            if time.monotonic() >= due:
                due = time.monotonic() + REPORT_EVERY_S
                await call.report_progress(wait_s - left, None, f"session {with_id} is under way in another process")
            await asyncio.sleep(min(POLL_EVERY_S, left))

    async def cancel(self, session: str) -> TaskResult:
        """End a run of this server."""
        with_id = await in_thread(lambda: self._id(session))
        job = self.jobs.of(with_id)
        if job is not None:
            job.cancellation.cancel()
            await job.over(STOP_S)
        result = await in_thread(lambda: self._result(with_id, job, 0))
        if job is None and result.outcome == "running":
            raise UsageError(f"session {with_id} was not started here", fix="End it where it was started")
        return result

    async def diff(self, session: str, turn: int | None, offset: int, max_chars: int) -> DiffResult:
        """A part of what a session changed."""
        return await in_thread(lambda: self.allowed_sessions.diff(session, turn, offset, max_chars))

    async def undo(self, request: UndoRequest) -> UndoResult:
        """Take back what a session changed."""
        return await in_thread(lambda: self.allowed_sessions.undo(request))

    async def sessions(self, workspace: str | None, limit: int) -> SessionList:
        """Those of the allowed folders."""
        folder = self.roots.workspace(workspace) if workspace is not None else None
        return await in_thread(lambda: self.allowed_sessions.list(folder, limit))

    async def instance(self, call: Reporting, *, proof: bool, load: bool) -> InstanceResult:
        """Verify and ps."""
        from super_agent.mcp.instance_tool import instance

        settings = load_settings(self.flags, env_file=self.env_file)
        said = ["asking the server"]
        work = start_in_thread(lambda: instance(settings, proof=proof, load=load, tell=said.append), "mcp instance")
        began = time.monotonic()
        while True:
            done, _ = await asyncio.wait([work], timeout=REPORT_EVERY_S)
            if done:
                return await work
            await call.report_progress(time.monotonic() - began, None, said[-1])

    def _next_run(self, asked: TaskRequest, session: str) -> NextRun:
        with self.allowed_sessions.session(session) as (_store, row):
            workspace = self.roots.workspace(row.workspace)  # it may have become a link since
        if asked.mode is not None:
            raise UsageError("both session and mode were given", fix="A session goes on in its own mode: leave it out")
        if asked.workspace is not None and self.roots.workspace(asked.workspace) != workspace:
            raise UsageError(f"session {row.id} works in {printable_path(row.workspace)}", fix="Leave workspace out")
        options = ResumeOptions(row.id, workspace, asked.task, asked.max_turns, check=asked.check)
        return NextRun(options, self.flags, self.env_file)

    def _id(self, session: str) -> str:
        with self.allowed_sessions.session(session) as (_store, row):
            return row.id

    def _result(self, session: str, job: Job | None, diff_chars: int) -> TaskResult:
        result = self.allowed_sessions.result(session, list(job.progress.notes) if job is not None else [], diff_chars)
        if job is not None and result.outcome == "running":
            result.doing = job.progress.line()
            result.turns = job.progress.turn
        return result

    async def _follow(self, call: Reporting, job: Job, wait_s: float | None) -> None:
        """Report what goes on until the run is over or the time has passed, and the session is known."""
        until = None if wait_s is None else time.monotonic() + wait_s
        reported_at, reported, named = 0.0, "", False
        while not job.is_over and not (until is not None and time.monotonic() >= until and job.progress.session):
            line, now = job.progress.line(), time.monotonic()
            fresh = job.progress.doing != reported and job.progress.session
            if now - reported_at >= REPORT_EVERY_S or (fresh and now - reported_at >= REPORT_AT_MOST_EVERY_S):
                await call.report_progress(job.progress.elapsed_s(), None, line)
                reported_at, reported, named = now, job.progress.doing, named or bool(job.progress.session)
            left = REPORT_EVERY_S if until is None else max(0.05, until - time.monotonic())
            await job.wait(min(left, REPORT_AT_MOST_EVERY_S if fresh else REPORT_EVERY_S))
        if not named and job.progress.session:  # it was over before its session could be told
            await call.report_progress(job.progress.elapsed_s(), None, job.progress.line())


async def in_thread(work: Callable[[], T]) -> T:
    """Await what reads and writes disks; a cancelled call lets it come to its end."""
    return await start_in_thread(work, "mcp store")
