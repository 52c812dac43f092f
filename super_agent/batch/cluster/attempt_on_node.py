"""What runs on a node, in a process of Ray's: one attempt there, as on the driver's own machine."""

import asyncio
import os
import queue
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from super_agent import __version__
from super_agent.batch.cluster.node_messages import AttemptRequest, Begun, EventLine, Result
from super_agent.batch.cluster.workspace_archive import unpack
from super_agent.batch.driver import locks
from super_agent.batch.local_attempt import AttemptContext, LocalAttempt
from super_agent.batch.previous_run import discard
from super_agent.batch.repositories import Repositories
from super_agent.batch.run_process import GRACE_S
from super_agent.core.batches.attempts import Attempt
from super_agent.core.errors import ExecutorError, SuperAgentError
from super_agent.core.locks import lock_within, open_file
from super_agent.core.settings import load_settings, server_environment
from super_agent.core.store.store import Store

FREED_S = 30.0
"""A run of a driver that died a moment ago ends with its process, as soon as Ray has noticed."""


def carry_out(order: AttemptRequest, archive: bytes | None) -> Iterator[Begun | EventLine | Result]:
    """One attempt; ended from outside (a KeyboardInterrupt of Ray's) it ends the run so that it can be gone on with."""
    import ray

    yield Begun(ray.get_runtime_context().get_node_id(), socket.gethostname())
    work = _AttemptThread(order, archive)
    work.start()
    try:
        while not isinstance(item := work.next(), Result):
            yield item
        yield item
    finally:
        work.end()


def discard_copy(batch: str, name: str) -> None:
    """Remove what the attempts at a task left here, once its result is kept."""
    folder = _folder(batch)
    discard(load_settings().state_dir, folder / "runs" / name, folder / "runs" / name / "workspace")


def clean(batch: str) -> None:
    """Remove all that a finished batch left here."""
    folder = _folder(batch)
    if (folder / "runs").is_dir():
        for run in (folder / "runs").iterdir():
            discard(load_settings().state_dir, run, run / "workspace")
    shutil.rmtree(folder, ignore_errors=True)


def _folder(batch: str) -> Path:
    """Beside the state folder and not in it: no run works in what belongs to the program."""
    state = load_settings().state_dir
    return state.with_name(f"{state.name}-batches") / batch


class _AttemptThread:
    """The attempt in a thread that lives as long as its run, which the kernel ends with the thread that began it."""

    def __init__(self, order: AttemptRequest, archive: bytes | None) -> None:
        self._order = order
        self._archive = archive
        self._items: queue.SimpleQueue[EventLine | Result] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=order.task.id, daemon=True)
        self._loop = asyncio.new_event_loop()
        self._attempt: LocalAttempt | None = None
        self._ending = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def next(self) -> EventLine | Result:
        while True:  # in pieces, because Ray's interrupt does not end a wait
            try:
                return self._items.get(timeout=0.2)
            except queue.Empty:
                if not self._thread.is_alive() and self._items.empty():
                    raise RuntimeError("the attempt ended without a result") from None

    def end(self) -> None:
        self._ending.set()
        if self._thread.is_alive() and self._attempt is not None:
            with suppress(RuntimeError):  # it has just ended, and closed its loop
                self._loop.call_soon_threadsafe(self._attempt.stop)
        self._thread.join(GRACE_S + 10)

    def _run(self) -> None:
        started, fault = time.monotonic(), ""
        # What fails on this node may go well on another, so it is the executor's failure and not the task's.
        try:
            found = self._loop.run_until_complete(self._carried_out())
        except OSError as error:
            fault = str(_cannot_write(_folder(self._order.batch), error))
            found = _failed(self._order, fault, time.monotonic() - started), b""
        except SuperAgentError as error:
            found = _failed(self._order, str(error), time.monotonic() - started), b""
        finally:
            self._loop.close()
        self._items.put(Result(None) if found is None else Result(*found, fault))

    async def _carried_out(self) -> tuple[Attempt, bytes] | None:
        order, folder = self._order, _folder(self._order.batch)
        settings = load_settings()
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        with _alone(folder / f"{order.task.id}.lock"), Store.open(settings.state_dir) as store:
            task = order.task
            if self._archive is not None:
                origin = folder / "origins" / order.archive
                unpack(self._archive, origin)
                task = task.model_copy(update={"workspace": str(origin), "repo": None, "commit": None})
            context = AttemptContext(
                folder / "runs", settings.state_dir, store, Repositories(folder / "repos"),
                model=order.environment["DEFAULT_MODEL"], digest=order.digest,
                environment={**server_environment(), **order.environment},
            )  # fmt: skip
            self._attempt = LocalAttempt(context, task, order.hash, order.number, locks(), self._watch)
            if self._ending.is_set():
                return None
            return await self._attempt.run()

    def _watch(self, line: bytes) -> None:
        self._items.put(EventLine(line))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One attempt at a task at a time on this node; raises `ExecutorError` where an earlier one does not end."""
    file = open_file(path)
    try:
        if not lock_within(file, FREED_S, every_s=0.1):
            raise ExecutorError("an earlier attempt at the task still runs on this node")
        yield
    finally:
        os.close(file)


def _cannot_write(folder: Path, error: OSError) -> ExecutorError:
    return ExecutorError(
        f"{folder} on {socket.gethostname()} cannot be written: {error.strerror or error}",
        fix="Make room there",
    )


def _failed(order: AttemptRequest, detail: str, wall_s: float) -> Attempt:
    return Attempt(
        id=order.task.id, hash=order.hash, attempt=order.number, final=True, outcome="executor", reason="error",
        exit_code=4, detail=detail, wall_s=round(wall_s, 3), host=socket.gethostname(),
        model=order.environment["DEFAULT_MODEL"], digest=order.digest, version=__version__,
    )  # fmt: skip
