"""The order of runs, without files and clocks: fair, in stretches, and nobody starves."""

from itertools import pairwise

from super_agent.core.queue.scheduler import IDLE_S, LEAST_STRETCH_S, STRETCH_S, QueueEntry, QueuePosition, Schedule

MINE = QueuePosition(0)


class Line:
    """A queue whose clock is set by hand."""

    def __init__(self, slots: int = 1) -> None:
        self.schedule = Schedule()
        self.now = 1000.0
        self.slots = slots

    def ask(self, run: str) -> QueuePosition:
        standing = self.schedule.ask(run, f"run {run}", 1, self.now, self.slots)
        if standing.position == 0:
            self.of(run).calls = 1
        return standing

    def end_call(self, run: str) -> None:
        self.of(run).calls, self.of(run).idle_since = 0, self.now

    def call(self, run: str, takes_s: float) -> QueuePosition:
        """Ask, and where it is granted, have a whole call."""
        standing = self.ask(run)
        if standing == MINE:
            self.now += takes_s
            self.end_call(run)
        return standing

    def of(self, run: str) -> QueueEntry:
        place = self.schedule.of(run)
        assert place is not None
        return place


def test_who_comes_first_has_the_model_and_the_others_wait_in_their_order() -> None:
    line = Line()
    assert line.ask("a") == MINE
    assert line.ask("b") == QueuePosition(1, ("run a",))
    assert line.ask("c") == QueuePosition(2, ("run a",))
    assert line.ask("b") == QueuePosition(1, ("run a",))


def test_a_run_keeps_the_model_from_call_to_call_within_its_turn() -> None:
    line = Line()
    assert line.call("a", 5) == MINE
    assert line.ask("b") == QueuePosition(1, ("run a",))
    for _ in range(5):
        assert line.call("a", 5) == MINE
        assert line.ask("b") == QueuePosition(1, ("run a",))


def test_the_end_of_a_turn_lets_others_in_once_the_stretch_was_worth_a_switch() -> None:
    line = Line()
    line.call("a", LEAST_STRETCH_S / 2)
    line.ask("b")
    line.schedule.turn_ended("a", line.now)
    assert line.ask("b") == QueuePosition(1, ("run a",))
    line.call("a", LEAST_STRETCH_S)
    line.schedule.turn_ended("a", line.now)
    assert line.ask("b") == MINE
    assert line.ask("a") == QueuePosition(1, ("run b",))


def test_the_end_of_a_turn_changes_nothing_while_nobody_waits() -> None:
    line = Line()
    line.call("a", 100)
    line.schedule.turn_ended("a", line.now)
    assert line.of("a").holding


def test_a_turn_without_an_end_gives_way_when_its_stretch_is_over() -> None:
    line = Line()
    line.call("a", 10)
    line.ask("b")
    seen = []
    for _ in range(10):
        seen.append(line.call("a", STRETCH_S / 4))
        if line.ask("b") == MINE:
            break
    assert seen == [MINE] * 4


def test_a_stretch_counts_only_while_others_wait() -> None:
    line = Line()
    line.call("a", 10 * STRETCH_S)
    assert line.ask("b") == QueuePosition(1, ("run a",))
    assert line.call("a", 1) == MINE


def test_a_call_under_way_is_never_interrupted() -> None:
    line = Line()
    line.ask("a")
    line.ask("b")
    line.now += 10 * STRETCH_S
    assert line.ask("b") == QueuePosition(1, ("run a",))
    line.end_call("a")
    assert line.ask("b") == MINE


def test_a_run_that_does_something_else_lets_others_in() -> None:
    line = Line()
    line.call("a", 1)
    assert line.ask("b") == QueuePosition(1, ("run a",))
    line.now += IDLE_S
    assert line.ask("b") == MINE
    assert line.ask("a") == QueuePosition(1, ("run b",))


def test_nobody_starves_among_many_that_always_want() -> None:
    line, had = Line(), dict.fromkeys("abcde", 0.0)
    longest_wait_s = dict.fromkeys(had, 0.0)
    last = dict.fromkeys(had, line.now)
    for _ in range(2000):
        for run in had:
            if line.call(run, 7.0) == MINE:
                longest_wait_s[run] = max(longest_wait_s[run], line.now - 7.0 - last[run])
                had[run] += 7.0
                last[run] = line.now
    share = sum(had.values()) / len(had)
    assert all(0.9 * share < time < 1.1 * share for time in had.values()), had
    # A stretch ends with the call under way, so each of the four others has at most one call more.
    assert max(longest_wait_s.values()) <= 4 * (STRETCH_S + 7.0)


def test_the_model_changes_hands_once_a_stretch_and_not_at_each_call() -> None:
    line, order = Line(), []
    for _ in range(400):
        order += [run for run in "ab" if line.call(run, 5.0) == MINE]
    switches = sum(one != other for one, other in pairwise(order))
    assert switches <= len(order) * 5.0 / STRETCH_S + 1


def test_as_many_runs_as_there_are_slots_have_the_model_at_once() -> None:
    line = Line(slots=2)
    assert line.ask("a") == MINE
    assert line.ask("b") == MINE
    assert line.ask("c") == QueuePosition(1, ("run a", "run b"))
    line.end_call("b")
    line.now += IDLE_S
    assert line.ask("c") == MINE
    assert line.of("a").holding
    assert line.schedule.of("b") is None


def test_nobody_waits_for_a_run_that_is_suspended() -> None:
    line = Line()
    line.ask("a")
    line.ask("b")
    assert line.ask("c") == QueuePosition(2, ("run a",))
    line.schedule.stopped = {"a", "b"}
    assert line.ask("c") == MINE
    line.schedule.stopped = ()
    assert line.ask("b") == QueuePosition(1, ("run c",))


def test_a_run_that_is_gone_leaves_its_place_to_the_next() -> None:
    line = Line()
    line.ask("a")
    line.ask("b")
    line.ask("c")
    line.schedule.drop("b")
    assert line.ask("c") == QueuePosition(1, ("run a",))
    line.schedule.drop("a")
    assert line.ask("c") == MINE


def test_the_order_survives_its_file() -> None:
    line = Line()
    line.ask("a")
    line.ask("b")
    assert Schedule.from_json(line.schedule.to_json()).entries == line.schedule.entries
