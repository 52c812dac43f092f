"""The runs that this server has under way. What came of a run is in the session store, whoever asks and whenever."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import anyio

from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SuperAgentError, UsageError
from super_agent.core.events import RunResumed, RunStarted, Stamped
from super_agent.core.threads import call_soon
from super_agent.mcp.task_progress import TaskProgress
from super_agent.mcp.task_run import TaskRun
from super_agent.session.run_options import Door

MAX_AT_ONCE = 8
"""They share one model and wait for each other; a caller that starts more has lost count."""
STOP_S = 10.0
"""For a cancelled run to end: its own bound is 2 s, and a last snapshot follows."""


@dataclass(slots=True)
class Job:
    """One run in a thread of its own. Its event loop is the server's; everything but `take` is called there."""

    work: TaskRun
    loop: asyncio.AbstractEventLoop
    cancellation: Cancellation = field(default_factory=Cancellation)
    progress: TaskProgress = field(default_factory=TaskProgress)
    error: BaseException | None = None
    is_over: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def run(self) -> None:
        """To the end, in the job's own thread."""
        try:
            self.work.run(Door((self.take,), cancellation=self.cancellation))
        except BaseException as error:  # noqa: BLE001 - carried over to whoever waits, never swallowed
            self.error = error
        finally:
            self.is_over = True
            call_soon(self.loop, self.changed.set)

    def take(self, stamped: Stamped) -> None:
        """A `Sink`."""
        event = stamped.event
        if isinstance(event, RunStarted | RunResumed) and event.workspace != str(self.work.options.workspace):
            self.cancellation.cancel()  # replaced by a link since it was looked at
        self.progress(stamped)
        call_soon(self.loop, self.changed.set)

    async def wait(self, timeout_s: float) -> None:
        """Until something has changed since the last wait of anybody, it is over, or the time has passed."""
        if self.is_over:
            return
        self.changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self.changed.wait()
        except TimeoutError:
            return

    async def over(self, timeout_s: float) -> bool:
        """Whether it is over within that time."""
        until = time.monotonic() + timeout_s
        while not self.is_over and time.monotonic() < until:
            await self.wait(min(0.5, until - time.monotonic()))
        return self.is_over


@dataclass(slots=True)
class Jobs:
    """Made in the server's event loop; ended with `close`."""

    running: list[Job] = field(default_factory=list)

    def start(self, work: TaskRun) -> Job:
        """Raises `UsageError` where too many run already."""
        self.running = [job for job in self.running if not job.is_over]
        if len(self.running) >= MAX_AT_ONCE:
            raise UsageError(f"{MAX_AT_ONCE} tasks are under way already", fix="Wait for one, or cancel it")
        job = Job(work, asyncio.get_running_loop())
        self.running.append(job)
        threading.Thread(target=job.run, name="mcp run", daemon=True).start()
        return job

    def of(self, session: str) -> Job | None:
        """The run of that session, while it is under way here."""
        return next((job for job in self.running if job.progress.session == session and not job.is_over), None)

    def cancel(self) -> None:
        """All of them; they end soon."""
        for job in self.running:
            job.cancellation.cancel()

    async def close(self) -> None:
        """End all within the bound of one, whatever cancels the caller meanwhile."""
        self.cancel()
        until = time.monotonic() + STOP_S
        with anyio.CancelScope(shield=True):
            for job in self.running:
                await job.over(max(0.0, until - time.monotonic()))


def raise_error(job: Job) -> None:
    """What kept a run from beginning, or a bug; what ended one that began is in its session."""
    if isinstance(job.error, SuperAgentError) and job.progress.session:
        return
    if job.error is not None:
        raise job.error
