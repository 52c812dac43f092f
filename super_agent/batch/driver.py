"""The loop of a batch: tasks in their order, so many at once, each attempt written down before it is counted."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from super_agent.batch.results_file import TRANSIENT, BatchFailed, ResultsFile, cannot_write
from super_agent.batch.task_index import IndexedTask, TaskIndex
from super_agent.batch.tasks import Task
from super_agent.core.batches.attempts import Attempt
from super_agent.core.state import write_durably

MORE_ATTEMPTS = 2
"""After the first, where the server or the executor failed."""
FAILURES_IN_A_ROW = 3
"""Tasks that server, executor or disk failed at, each as often as is tried: then it is those and not the tasks."""


class Running(Protocol):
    """One attempt under way, on this machine or on another."""

    async def run(self) -> tuple[Attempt, bytes] | None:
        """The attempt and its patch; None where it was stopped."""

    def stop(self) -> None:
        """End it, keeping what can be gone on with."""

    def discard(self) -> None:
        """Remove what it left, once its result is kept."""


Start = Callable[[Task, IndexedTask, int], Running]
"""Begin an attempt: the task, where it stands, and the attempt's number from 1."""


class Watcher(Protocol):
    """Who is told how the batch goes on."""

    def started(self, entry: IndexedTask, attempt: int) -> None:
        """An attempt begins."""

    def finished(self, attempt: Attempt) -> None:
        """An attempt is on disk."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a batch ends before its last task; None: never."""

    parallel: int
    failures: int | None = None
    time_s: float | None = None
    retry_wait_s: float = 2.0


@dataclass(slots=True)
class Driver:
    """One batch under way."""

    index: TaskIndex
    results: ResultsFile
    folder: Path
    start: Start
    watcher: Watcher
    bounds: Bounds
    ended_because: str = ""
    error: BatchFailed | None = None
    _rest: Iterator[IndexedTask] = field(init=False)
    _running: set[Running] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0
    _in_a_row: int = 0

    def __post_init__(self) -> None:
        self._rest = iter(entry for entry in self.index.entries if not self.results.counts(entry.id, entry.hash))

    async def run(self) -> None:
        """Until every task has its result or the batch is stopped; raises `BatchFailed` where it cannot write."""
        timer = None
        if self.bounds.time_s is not None:
            why = f"its time of {self.bounds.time_s:g} s is over"
            timer = asyncio.get_running_loop().call_later(self.bounds.time_s, self.stop, why)
        try:
            await asyncio.gather(*(self._work() for _ in range(self.bounds.parallel)))
        finally:
            if timer is not None:
                timer.cancel()
        if self.error is not None:
            raise self.error

    def stop(self, why: str) -> None:
        """Begin nothing more, and end what runs so that it can be gone on with."""
        if not self._stopping.is_set():
            self.ended_because = why
            self._stopping.set()
        for running in self._running:
            running.stop()

    async def _work(self) -> None:
        for entry in self._rest:
            if self._stopping.is_set():
                return
            try:
                await self._task(entry)
            except BatchFailed as error:
                self._fail(error)
            except OSError as error:
                self._fail(cannot_write(self.folder, error))

    def _fail(self, error: BatchFailed) -> None:
        self.error = self.error or error
        self.stop(str(error))

    async def _task(self, entry: IndexedTask) -> None:
        task = self.index.task(entry)
        last = self.results.last.get(entry.id)
        number = last.attempt + 1 if last is not None and last.hash == entry.hash else 1
        # An attempt that failed in passing is not final: those that follow it now count with it.
        left = max(0, MORE_ATTEMPTS - (number - 1)) if last is not None and not last.final else MORE_ATTEMPTS
        while not self._stopping.is_set():
            attempt = await self._attempt(task, entry, number, may_repeat=left > 0)
            if attempt is None or attempt.final:
                return
            wait_s = self.bounds.retry_wait_s * 2 ** (MORE_ATTEMPTS - left)
            number, left = number + 1, left - 1
            try:
                await asyncio.wait_for(self._stopping.wait(), wait_s)
            except TimeoutError:
                continue

    async def _attempt(self, task: Task, entry: IndexedTask, number: int, *, may_repeat: bool) -> Attempt | None:
        running = self.start(task, entry, number)
        self._running.add(running)
        try:
            self.watcher.started(entry, number)
            found = await running.run()
        finally:
            self._running.discard(running)
        if found is None:
            return None
        attempt, patch = found
        again = may_repeat and attempt.exit_code in TRANSIENT
        attempt = attempt.model_copy(update={"final": not again, "patch": self._kept(task.id, patch)})
        self.results.append(attempt)
        self.watcher.finished(attempt)
        if attempt.final:
            self._judge(attempt)
            if attempt.is_verdict:  # else a later start goes on with it
                await asyncio.to_thread(running.discard)
        return attempt

    def _kept(self, name: str, patch: bytes) -> str:
        path = self.folder / "patches" / f"{name}.patch"
        if not patch:
            path.unlink(missing_ok=True)
            return ""
        path.parent.mkdir(exist_ok=True)
        write_durably(path, patch)
        return str(path.relative_to(self.folder))

    def _judge(self, attempt: Attempt) -> None:
        """Stop where the user wants no more failures, or where everything fails whatever is asked."""
        failed = attempt.outcome != "done"
        self._failures += failed
        if self.bounds.failures is not None and failed and self._failures >= self.bounds.failures:
            self.stop(f"{self._failures} tasks were not done")
        self._in_a_row = 0 if attempt.is_verdict else self._in_a_row + 1
        if self._in_a_row >= FAILURES_IN_A_ROW:
            self.stop(f"{FAILURES_IN_A_ROW} tasks in a row failed without a verdict: {attempt.detail}")


def locks() -> Callable[[str], asyncio.Lock]:
    """One lock for each name, made when it is first asked for."""
    found: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    return lambda name: found[name]
