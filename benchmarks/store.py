"""What the session store costs: a turn's transaction, its share of a run, and reading it back."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, repeated, seconds
from super_agent.core import events as ev
from super_agent.core.store.recorder import Recorder
from super_agent.core.store.store import Store

TURNS = 20
TOKENS_A_TURN = 1500
"""Pieces that a model streams in a turn: the coder's reply, the reviewer's, and an executor's."""
TOKENS_A_SECOND = 100.0
"""Faster than a 16B model writes on one good card, so that the share is an upper bound."""
STATE_CHARS = 60_000
"""A transcript that fills a context of 16,384 tokens."""
STARTED = ev.RunStarted("task", "team", "/w", "m", "http://localhost:11434", None, "bubblewrap", {})


def figures() -> Iterator[Figure]:
    """The transaction itself, all that a turn costs with the taking of each event, and reading a session."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        commits, turns = _measured(store)
        yield Figure("store: a turn's transaction with its checkpoint", "ms", commits, 50)
        share = tuple(100 * ms / 1000 / (TOKENS_A_TURN / TOKENS_A_SECOND) for ms in turns)
        yield Figure("store: its share of a run at 100 tokens a second", "%", share, 1)
        opened = repeated(lambda: 1000 * seconds(lambda: Store.open(Path(folder)).close()))
        yield Figure("store: opening it", "ms", opened, 50)
        read = repeated(lambda: 1000 * seconds(lambda: list(store.events("s"))))
        yield Figure(f"store: reading a session of {TURNS} turns", "ms", read, 500)


def _measured(store: Store) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Milliseconds of each turn's transaction, and of everything the store does in it."""
    commits, turns = [], []
    with store.begin("s", STARTED) as recorder:
        for number in range(1, TURNS + 1):
            taking = seconds(lambda number=number: _turn(recorder, number))  # type: ignore[misc]
            commit = seconds(lambda number=number: recorder.checkpoint(number, "x" * STATE_CHARS))  # type: ignore[misc]
            commits.append(1000 * commit)
            turns.append(1000 * (taking + commit))
    return tuple(commits), tuple(turns)


def _turn(recorder: Recorder, number: int) -> None:
    def emit(event: ev.Event) -> None:
        recorder(ev.Stamped("s", number, recorder.seq + 1, 0.0, event))

    emit(ev.TurnStarted(number))
    for speaker in ("coder", "reviewer", "executor"):
        for _ in range(TOKENS_A_TURN // 3):
            emit(ev.TextStreamed(speaker, "token "))
        emit(ev.RequestFinished("autogen", 9000, TOKENS_A_TURN // 3, 5.0, None))
        emit(ev.MessagePosted(speaker, "token " * (TOKENS_A_TURN // 3)))
    for _ in range(5):
        emit(ev.CodeStarted("executor", "python", "print(1)\n" * 20))
        emit(ev.OutputStreamed("1\n" * 400))
        emit(ev.CodeFinished("executor", "finished", None, 0.1, 800, 0))
        emit(ev.FileWritten("a.py", "edited", "+x\n-y\n" * 100, 100, 100))
