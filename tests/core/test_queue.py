"""The queue of runs: real processes contend for one model, and whoever dies or gives up leaves no trace."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from super_agent.core.errors import Interrupted, QueueTimedOut
from super_agent.core.events import Event, Queued, QueuePassed
from super_agent.core.model.middleware import RequestFacts
from super_agent.core.queue.run_queue import RunQueue
from tests.core.contender import facts, settings

CHECKOUT = Path(__file__).resolve().parents[2]
SOON_S = 10.0
"""How long a test waits for what takes a tenth of a second."""


class Contender:
    """Another run, in a process of its own."""

    def __init__(self, state_dir: Path, *script: str) -> None:
        command = [sys.executable, "-m", "tests.core.contender", str(state_dir), *script]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)

    def says(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def send(self, number: int) -> None:
        """A signal, for this process only."""
        os.kill(self.process.pid, number)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@contextmanager
def contender(state: Path, *script: str) -> Iterator[Contender]:
    one = Contender(state, *script)
    try:
        yield one
    finally:
        one.close()


@contextmanager
def run_queue(state: Path, events: list[Event] | None = None, slots: int = 1, **flags: object) -> Iterator[RunQueue]:
    emit = (events if events is not None else []).append
    queue = RunQueue(settings(state, **flags), "m", "run of the test", emit, lambda: slots)
    try:
        yield queue
    finally:
        queue.close()


class Waiter:
    """A call that waits in a thread of its own."""

    def __init__(self, queue: RunQueue) -> None:
        self.request: RequestFacts = facts()
        self.outcome: list[BaseException | None] = []
        self._queue = queue
        self._thread = threading.Thread(target=self._enter, daemon=True)
        self._thread.start()

    def _enter(self) -> None:
        try:
            self._queue.enter(self.request)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.outcome.append(error)
        else:
            self.outcome.append(None)

    def ended(self) -> BaseException | None:
        """What came of it."""
        self._thread.join(SOON_S)
        return self.outcome[0]

    def waits(self) -> bool:
        """Whether it does still."""
        return not self.outcome


def soon(events: list[Event], kind: type) -> None:
    """Wait until there is such an event."""
    deadline = time.monotonic() + SOON_S
    while not any(isinstance(e, kind) for e in events):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_run_alone_is_let_through_at_once_and_says_nothing(state: Path) -> None:
    events: list[Event] = []
    with run_queue(state, events) as queue:
        for _ in range(3):
            request = facts()
            queue.enter(request)
            queue.leave(request)
        queue.turn_ended()
    assert events == []
    assert [p.name for p in (state / "queue").rglob("*") if p.is_file()] == ["order.json"]


def test_two_processes_take_turns_and_the_wait_is_told(state: Path) -> None:
    events: list[Event] = []
    with contender(state, "enter", "sleep:0.5", "leave", "hang") as other, run_queue(state, events) as queue:
        assert other.says() == "enter"
        queue.enter(facts())
        assert (other.says(), other.says()) == ("sleep", "leave")
    assert [e for e in events if isinstance(e, Queued)] == [Queued("autogen", 1, ("contender",))]
    [passed] = [e for e in events if isinstance(e, QueuePassed)]
    assert passed.waited_s >= 0.5


def test_kill_9_of_the_holder_frees_its_place_at_once(state: Path) -> None:
    with contender(state, "enter", "hang") as other, run_queue(state) as queue:
        assert other.says() == "enter"
        waiter = Waiter(queue)
        time.sleep(0.2)
        assert waiter.waits()
        other.send(signal.SIGKILL)
        assert waiter.ended() is None
    assert list((state / "queue").rglob("*.alive")) == []


def test_kill_9_of_who_waits_first_lets_the_next_move_up(state: Path) -> None:
    events: list[Event] = []
    with run_queue(state) as holder, run_queue(state, events) as queue:
        request = facts()
        holder.enter(request)
        with contender(state, "enter") as other:
            assert other.says() == "queued 1"
            waiter = Waiter(queue)
            soon(events, Queued)
            other.send(signal.SIGKILL)
            other.process.wait()
            while len(events) < 2:
                time.sleep(0.01)
        assert [e.position for e in events if isinstance(e, Queued)] == [2, 1]
        holder.close()
        assert waiter.ended() is None


def test_nobody_waits_for_a_run_that_was_suspended(state: Path) -> None:
    with contender(state, "enter", "hang") as other, run_queue(state) as queue:
        assert other.says() == "enter"
        other.send(signal.SIGSTOP)
        queue.enter(facts())


def test_who_gives_up_gives_its_place_back_at_once(state: Path) -> None:
    events: list[Event] = []
    with run_queue(state) as holder, run_queue(state, events) as queue, run_queue(state) as third:
        holder.enter(facts())
        waiter, last = Waiter(queue), None
        soon(events, Queued)
        last = Waiter(third)
        waiter.request.given_up.set()
        assert isinstance(waiter.ended(), Interrupted)
        queue.leave(waiter.request)
        holder.close()
        assert last.ended() is None


def test_a_call_given_up_before_it_asks_never_has_the_model(state: Path) -> None:
    with run_queue(state) as queue, run_queue(state) as other:
        request = facts()
        request.given_up.set()
        queue.leave(request)
        with pytest.raises(Interrupted):
            queue.enter(request)
        other.enter(facts())


def test_the_deadline_says_who_has_the_model(state: Path) -> None:
    with run_queue(state) as holder, run_queue(state, queue_timeout_s=0.2) as queue:
        holder.enter(facts())
        with pytest.raises(QueueTimedOut, match=r"m at http://127.0.0.1:1 was not free within 0.2 s: position 1") as e:
            queue.enter(facts())
        assert "behind run of the test" in e.value.what
        assert "SUPER_AGENT_QUEUE_TIMEOUT_S" in e.value.fix
    with run_queue(state) as later:
        later.enter(facts())


def test_two_slots_serve_two_runs_and_the_third_waits(state: Path) -> None:
    events: list[Event] = []
    with run_queue(state, slots=2) as one, run_queue(state, events, slots=2) as two, run_queue(state, slots=2) as three:
        one.enter(facts())
        two.enter(facts())
        assert events == []
        waiter = Waiter(three)
        time.sleep(0.2)
        assert waiter.waits()
        one.close()
        assert waiter.ended() is None


def test_the_slots_are_looked_up_only_where_another_run_is_in_the_way(state: Path) -> None:
    asked: list[str] = []

    def slots() -> int:
        asked.append("asked")
        return 1

    queue = RunQueue(settings(state), "m", "alone", [].append, slots)
    request = facts()
    queue.enter(request)
    queue.leave(request)
    queue.close()
    assert asked == []


def test_other_models_and_other_servers_have_queues_of_their_own(state: Path) -> None:
    with run_queue(state) as holder:
        holder.enter(facts())
        for other in (
            RunQueue(settings(state), "other weights", "x", [].append, lambda: 1),
            RunQueue(settings(state, base_url="http://127.0.0.1:2"), "m", "x", [].append, lambda: 1),
        ):
            other.enter(facts())
            other.close()


def test_all_names_of_this_machine_are_one_server(state: Path) -> None:
    events: list[Event] = []
    with run_queue(state) as holder, run_queue(state, events, base_url="http://localhost:1") as queue:
        holder.enter(facts())
        waiter = Waiter(queue)
        soon(events, Queued)
        holder.close()
        assert waiter.ended() is None


def test_a_closed_queue_lets_nothing_in_and_closing_twice_is_fine(state: Path) -> None:
    with run_queue(state) as queue:
        request = facts()
        queue.enter(request)
        queue.close()
        queue.leave(request)
        with pytest.raises(Interrupted):
            queue.enter(facts())


@pytest.mark.parametrize("text", ["", "garbage", "[1]\n", '[{"run": "x"}]\n', "{}\n", '[]\n[{"half'])
def test_an_order_that_cannot_be_read_is_begun_anew(state: Path, text: str) -> None:
    with run_queue(state):
        [path] = (state / "queue").rglob("order.json")
        path.write_text(text)
        with run_queue(state) as queue:
            queue.enter(facts())


def test_runs_that_always_want_share_the_model_fairly(state: Path) -> None:
    """Each has a turn of its own length; nobody is left out, and nobody has it in between."""
    script = ["enter", "sleep:0.05", "leave", "sleep:0.01"] * 12
    started = time.monotonic()
    with contender(state, *script, "turn") as one, contender(state, *script, "turn") as two:
        threads = [threading.Thread(target=contestant.process.wait, args=(60,)) for contestant in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outputs = [c.process.stdout.read().split("\n") for c in (one, two) if c.process.stdout]
    assert time.monotonic() - started < 60
    assert [words.count("leave") for words in outputs] == [12, 12]
    # Their calls are one stretch: the second waits once, not at each call.
    assert sum(words.count("queuepassed") for words in outputs) <= 2
