"""One queue for all runs of a user on this machine that use the same model of the same server.

The order is a small file; each run that takes part holds a lock of its own for as long as it lives. The kernel drops
that lock when the process dies, however it dies, so a dead run's place is free at once and no entry is ever stale.
Programs of others know nothing of it: they wait, and make us wait, in the server.
"""

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from super_agent.core.errors import Interrupted, QueueTimedOut, StoreFailed
from super_agent.core.events import Emit, Queued, QueuePassed
from super_agent.core.locks import alive, list_alive, lock_within, open_file, unlist, unlock
from super_agent.core.model.middleware import RequestFacts
from super_agent.core.ollama.processes import is_stopped, port_of
from super_agent.core.ollama.server import is_local
from super_agent.core.queue.scheduler import QueuePosition, Schedule
from super_agent.core.settings import Settings
from super_agent.core.state import private_folder

ORDER_BYTES = 16384
"""Reserved for the order: a run has some 200 bytes in it."""
POLL_S = 0.05
"""Between two looks of a run that waits; one look takes 0.1 ms, the calls waited for take seconds."""
LOCKED_RETRY_S = 0.001
LOCKED_TIMEOUT_S = 10.0
"""The order is locked for 0.1 ms at a time; longer only by a process that was suspended just then."""


class RunQueue:
    """One run's place in the queue. Thread-safe; calls of one run never wait for each other."""

    def __init__(self, settings: Settings, scope: str, label: str, emit: Emit, slots: Callable[[], int]) -> None:
        """`scope` names what is shared (the model's weights), `label` this run in the eyes of others.

        `slots` (how many runs the server serves at once) is asked only where another run is in the way.
        """
        self._label = label
        self._emit = emit
        self._slots = slots
        self._model = f"{settings.model} at {settings.base_url}"
        self._timeout_s = settings.queue_timeout_s
        folder = private_folder(settings.state_dir, "queue")
        try:
            self._order = _Order(private_folder(folder / _name(settings.base_url, scope)))
        except OSError as error:
            raise StoreFailed(f"the queue in {folder}: {error.strerror}", fix="Make room on the disk") from error
        self._lock = threading.Lock()
        self._waiters = 0
        self._calls: dict[int, RequestFacts] = {}

    def enter(self, request: RequestFacts) -> None:
        """Wait until it is this run's turn; raises `QueueTimedOut`, or `Interrupted` once the request is given up."""
        if self._ask(request, 1).position == 0:
            return
        started, told = time.monotonic(), False
        with self._lock:
            self._waiters += 1
        try:
            told = self._wait(request, self._slots(), started)
        finally:
            with self._lock:
                self._waiters -= 1
                if not self._calls and not self._waiters and not self._order.closed:
                    self._leave_line()
        if told:
            self._emit(QueuePassed(request.client, round(time.monotonic() - started, 3)))

    def leave(self, request: RequestFacts) -> None:
        """The call is over; the run keeps the model for its next one. Does nothing for a call that never had it."""
        with self._lock:
            if self._calls.pop(id(request), None) is None or self._order.closed:
                return
            with self._order.locked() as schedule:
                if mine := schedule.of(self._order.run):
                    mine.calls, mine.idle_since = len(self._calls), time.monotonic()

    def alone(self) -> bool:
        """Whether no other run has the model or waits for it."""
        with self._lock:
            if self._order.closed:
                return False
            with self._order.locked() as schedule:
                return all(entry.run == self._order.run for entry in schedule.entries)

    def turn_ended(self) -> None:
        """Give way to others, where any wait."""
        with self._lock, self._order.locked() as schedule:
            schedule.turn_ended(self._order.run, time.monotonic())

    def close(self) -> None:
        """Give up the place for good; idempotent."""
        with self._lock:
            self._order.close()

    def _wait(self, request: RequestFacts, slots: int, started: float) -> bool:
        """Whether it had to wait, which was told then."""
        told: QueuePosition | None = None
        while (standing := self._ask(request, slots)).position:
            if standing != told:
                self._emit(Queued(request.client, standing.position, standing.waiting_for))
                told = standing
            if time.monotonic() - started >= self._timeout_s:
                raise QueueTimedOut(
                    f"{self._model} was not free within {self._timeout_s:g} s: position {standing.position}, "
                    f"behind {', '.join(standing.waiting_for) or 'another run'}",
                    fix="End the other run, or raise SUPER_AGENT_QUEUE_TIMEOUT_S or OLLAMA_NUM_PARALLEL",
                )
            request.given_up.wait(POLL_S)
        return told is not None

    def _ask(self, request: RequestFacts, slots: int) -> QueuePosition:
        with self._lock:
            # Under the lock: `leave` comes after it, and finds what is granted here.
            if request.given_up.is_set() or self._order.closed:
                raise Interrupted("the model call was cancelled")
            with self._order.locked() as schedule:
                standing = schedule.ask(self._order.run, self._label, os.getpid(), time.monotonic(), slots)
                if standing.position == 0:
                    self._calls[id(request)] = request
                    mine = schedule.of(self._order.run)
                    if mine is not None:
                        mine.calls = len(self._calls)
            return standing

    def _leave_line(self) -> None:
        with self._order.locked() as schedule:
            mine = schedule.of(self._order.run)
            if mine is not None and not mine.holding:
                schedule.drop(mine.run)


class _Order:
    """The order on disk, and the lock that shows that this run is alive. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.run = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._folder = folder
        self._alive = list_alive(folder / f"{self.run}.alive")
        self._file = open_file(folder / "order.json")
        os.posix_fallocate(self._file, 0, ORDER_BYTES)
        for path in folder.glob("*.alive"):
            self._is_alive(path.stem)  # removes what dead runs left

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._file < 0

    @contextmanager
    def locked(self) -> Iterator[Schedule]:
        """The order for reading and changing, without the runs that are dead."""
        self._take()
        try:
            before = os.pread(self._file, 1 << 20, 0).split(b"\n", 1)[0]
            schedule = _parsed(before)
            self._drop_the_dead(schedule)
            yield schedule
            after = schedule.to_json().encode()
            if after != before:
                self._write(after)
        finally:
            unlock(self._file)

    def close(self) -> None:
        if self.closed:
            return
        # Where the disk fails, the others see by the lock that this run is gone.
        with suppress(StoreFailed), self.locked() as schedule:
            schedule.drop(self.run)
        unlist(self._folder / f"{self.run}.alive", self._alive)
        os.close(self._file)
        self._file = -1

    def _write(self, order: bytes) -> None:
        try:
            # One write, in place, which a full disk does not prevent; what is behind the first line is not read.
            os.pwrite(self._file, (order + b"\n").ljust(ORDER_BYTES), 0)
        except OSError as error:
            raise StoreFailed(
                f"the queue in {self._folder}: {error.strerror}", fix="See whether the disk is failing"
            ) from error

    def _take(self) -> None:
        if not lock_within(self._file, LOCKED_TIMEOUT_S, LOCKED_RETRY_S):
            raise QueueTimedOut(
                f"the queue in {self._folder} is locked by a process that does not go on",
                fix="End a suspended super-agent (`jobs`, `fg`)",
            )

    def _drop_the_dead(self, schedule: Schedule) -> None:
        others = [entry for entry in schedule.entries if entry.run != self.run]
        for entry in others:
            if not self._is_alive(entry.run):
                schedule.drop(entry.run)
        schedule.stopped = {entry.run for entry in others if is_stopped(entry.pid)}

    def _is_alive(self, run: str) -> bool:
        return alive(self._folder / f"{Path(run).name}.alive") is not None


def _parsed(data: bytes) -> Schedule:
    try:
        return Schedule.from_json(data.rstrip(b"\0").decode())
    except (ValueError, TypeError):
        return Schedule()  # empty at first; or not of this version, whose runs are then not seen


def _name(base_url: str, scope: str) -> str:
    """The same for all names of this machine's server."""
    server = f"local:{port_of(base_url)}{urlsplit(base_url).path}" if is_local(base_url) else base_url
    return hashlib.sha256(f"{server}\n{scope}".encode()).hexdigest()[:16]
