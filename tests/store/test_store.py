"""Sessions are written whole turns at a time, read as they were, continued from their last checkpoint."""

import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from super_agent.core import events as ev
from super_agent.core.errors import SessionHeld, SessionUnknown
from super_agent.core.state import SessionFolder
from super_agent.core.store.recorder import Recorder
from super_agent.core.store.store import Store
from tests.store.conftest import STARTED
from tests.store.test_codec import EVENTS

ENDED = ev.RunEnded("accepted", 0, "fine", 1, 2.5, ("a.py",), (), {})


def stream_to(recorder: Recorder, seen: list[ev.Stamped] | None = None) -> ev.EventStream:
    sinks: tuple[ev.Sink, ...] = (recorder,) if seen is None else (seen.append, recorder)
    return ev.EventStream(recorder.session, sinks, turn=recorder.turn, _seq=recorder.seq)


def test_a_session_is_read_as_it_was_written(store: Store) -> None:
    seen: list[ev.Stamped] = []
    recorder = store.begin("s1", STARTED)
    stream = stream_to(recorder, seen)
    usage = ev.RequestFinished("autogen", 10, 3, 0.5, None)
    for event in (STARTED, ev.TurnStarted(1), usage, ev.FileWritten("a.py", "created", "+\ud800", 1, 0), ENDED):
        stream.emit(event)
    recorder.close()
    assert list(store.events("s1")) == seen
    row = store.find("s1")
    assert (row.state, row.reason, row.turns, row.files) == ("ended", "accepted", 1, ("a.py",))
    assert (row.prompt_tokens, row.completion_tokens, row.workspace, row.task) == (10, 3, "/w", "do it")


def test_events_are_stored_at_turn_boundaries_and_not_in_between(store: Store) -> None:
    recorder = store.begin("s1", STARTED)
    stream = stream_to(recorder)
    stream.emit(STARTED)
    stream.emit(ev.TurnStarted(1))
    assert [type(s.event) for s in store.events("s1")] == [ev.RunStarted]
    stream.emit(ev.UserSpoke("x"))
    stream.emit(ev.TurnStarted(2))
    assert [type(s.event) for s in store.events("s1")] == [ev.RunStarted, ev.TurnStarted, ev.UserSpoke]
    recorder.close()
    assert [s.turn for s in store.events("s1")] == [0, 1, 1, 2]


def test_pieces_of_one_text_become_one_event(store: Store) -> None:
    recorder = store.begin("s1", STARTED)
    stream = stream_to(recorder)
    for text in "abc":
        stream.emit(ev.TextStreamed("coder", text))
    stream.emit(ev.TextStreamed("coder", "d", reasoning=True))
    stream.emit(ev.OutputStreamed("e"))
    stream.emit(ev.OutputStreamed("f"))
    stream.emit(ev.TextStreamed("planner", "g"))
    recorder.close()
    assert [(s.seq, s.event) for s in store.events("s1")] == [
        (1, ev.TextStreamed("coder", "abc")),
        (4, ev.TextStreamed("coder", "d", reasoning=True)),
        (5, ev.OutputStreamed("ef")),
        (7, ev.TextStreamed("planner", "g")),
    ]


def test_a_session_goes_on_after_its_last_checkpoint(store: Store) -> None:
    recorder = store.begin("s1", STARTED)
    stream = stream_to(recorder)
    for event in (STARTED, ev.TurnStarted(1), ev.FileWritten("a.py", "created", "", 1, 0)):
        stream.emit(event)
    recorder.checkpoint(1, '{"x": 1}')
    for event in (ev.TurnStarted(2), ev.FileWritten("b.py", "created", "", 1, 0), ENDED):
        stream.emit(event)
    recorder.close()

    again = store.continue_session("s1")
    row = store.find("s1")
    assert (row.state, row.turns, row.files, row.ended) == ("running", 1, ("a.py",), None)
    assert (again.seq, again.turn) == (3, 1)
    stream_to(again).emit(ev.TurnStarted(2))
    again.close()
    assert [(s.seq, type(s.event).__name__) for s in store.events("s1")] == [
        (1, "RunStarted"),
        (2, "TurnStarted"),
        (3, "FileWritten"),
        (4, "TurnStarted"),
    ]
    checkpoint = store.last_checkpoint("s1")
    assert checkpoint is not None
    assert (checkpoint.turn, checkpoint.state, checkpoint.seq) == (1, '{"x": 1}', 3)
    assert store.find("s1").state == "broken off"


def test_a_session_without_a_checkpoint_begins_again(store: Store) -> None:
    recorder = store.begin("s1", STARTED)
    stream_to(recorder).emit(STARTED)
    recorder.close()
    again = store.continue_session("s1")
    assert (again.seq, again.turn, list(store.events("s1"))) == (0, 0, [])
    again.close()


def test_a_session_is_held_by_one_process_at_a_time(store: Store) -> None:
    with (
        store.begin("s1", STARTED) as recorder,
        pytest.raises(SessionHeld, match=r"session s1 is held by pid \d+ since"),
    ):
        store.continue_session(recorder.session)
    store.continue_session("s1").close()


def test_a_session_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for name in ("20260101-a", "20260102-b"):
        store.begin(name, STARTED).close()
    assert store.find("20260102").id == "20260102-b"
    with pytest.raises(SessionUnknown, match="2 sessions begin with '2026'"):
        store.find("2026")
    with pytest.raises(SessionUnknown, match="no session has an id that begins with 'x'"):
        store.find("x")


def test_files_are_private(store: Store, tmp_path: Path) -> None:
    recorder = store.begin("s1", STARTED)
    stream_to(recorder).emit(ev.OutputStreamed("x" * 100_000))
    recorder.checkpoint(1, "y" * 100_000)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.name for path in files} > {"sessions.db", "sessions.db-wal", "sessions.db-shm"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    folders = [path for path in (tmp_path / "state", *(tmp_path / "state").rglob("*")) if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    recorder.close()


def test_large_texts_are_kept_once_and_go_with_the_last_session_that_needs_them(store: Store, tmp_path: Path) -> None:
    large = "\ud83d" + "y" * 100_000
    for name in ("s1", "s2"):
        with store.begin(name, STARTED) as recorder:
            stream_to(recorder).emit(ev.ReportMade(large))
            recorder.checkpoint(1, large)
    texts = tmp_path / "state" / "texts"
    assert len([*texts.iterdir()]) == 1
    store.remove("s1")
    assert [s.event for s in store.events("s2")] == [ev.ReportMade(large)]
    checkpoint = store.last_checkpoint("s2")
    assert checkpoint is not None
    assert checkpoint.state == large
    store.remove("s2")
    assert [*texts.iterdir()] == []
    assert [path.name for path in (tmp_path / "state" / "sessions").iterdir()] == []


def test_a_removed_session_gives_its_place_on_the_disk_back(store: Store, tmp_path: Path) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in (tmp_path / "state").rglob("*") if path.is_file())

    store.begin("kept", STARTED).close()
    store.remove("kept")
    before = size()
    with store.begin("large", STARTED) as recorder:
        stream = stream_to(recorder)
        for _ in range(200):
            stream.emit(ev.ReportMade("y" * 10_000))
    assert size() > before + 2_000_000
    store.remove("large")
    assert size() < before + 50_000


def test_a_workspace_whose_name_is_no_text_is_found(store: Store) -> None:
    path = Path("/w\udcff")
    store.begin("s1", replace(STARTED, workspace=str(path), task="half a pair: \ud83d")).close()
    assert [(row.id, row.task) for row in store.sessions(path)] == [("s1", "half a pair: ?")]


NOT_A_TURN = EVENTS.filter(lambda event: not isinstance(event, ev.TurnStarted))  # turns are counted by the stream


@settings(deadline=None, max_examples=40)  # each example is a store of its own on the disk
@given(st.lists(NOT_A_TURN | st.sampled_from(["turn", "checkpoint"]), max_size=30))
def test_whatever_comes_is_read_in_order_with_its_pieces_joined(script: list[ev.Event | str]) -> None:
    with TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        seen: list[ev.Stamped] = []
        with store.begin("s1", STARTED) as recorder:
            stream = stream_to(recorder, seen)
            for event in script:
                if event == "checkpoint":
                    recorder.checkpoint(stream.turn, "state")
                else:
                    stream.emit(ev.TurnStarted(stream.turn + 1) if isinstance(event, str) else event)
        read = list(store.events("s1"))
    assert joined(read) == joined(seen)
    assert [s for s in read if not isinstance(s.event, PIECES)] == [s for s in seen if not isinstance(s.event, PIECES)]


PIECES = (ev.TextStreamed, ev.OutputStreamed)


def joined(events: list[ev.Stamped]) -> list[tuple[ev.Event, str]]:
    """Neighbouring pieces of one text put together, without their places."""
    found: list[tuple[ev.Event, str]] = []
    for event in (stamped.event for stamped in events):
        text = event.text if isinstance(event, PIECES) else ""
        kind = replace(event, text="") if isinstance(event, PIECES) else event
        if found and isinstance(event, PIECES) and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return found


def test_a_held_session_is_neither_removed_nor_pruned(store: Store) -> None:
    with store.begin("s1", STARTED):
        store.begin("s2", STARTED).close()
        with pytest.raises(SessionHeld):
            store.remove("s1")
        assert store.prune(keep=0) == ("s2",)
    assert [row.id for row in store.sessions()] == ["s1"]


def test_prune_spares_the_newest_the_young_and_other_workspaces(store: Store) -> None:
    for name in ("s1", "s2", "s3"):
        store.begin(name, STARTED).close()
    assert store.prune(Path("/elsewhere"), keep=0) == ()
    assert store.prune(older_than_s=3600, keep=1) == ()
    assert store.prune(Path("/w"), older_than_s=-1, keep=1) == ("s2", "s1")


def test_folders_of_runs_without_the_store_are_pruned_by_age(store: Store, tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "state", "unkept").path
    assert store.prune(keep=0) == ()
    assert store.prune(older_than_s=3600) == ()
    assert store.prune(older_than_s=-1) == ("unkept",)
    assert not folder.exists()


def test_fields_and_events_of_a_newer_version_come_back_as_they_were(store: Store) -> None:
    newer = [
        ev.Stamped("s1", 0, 1, 1.0, ev.NewerEvent("plan_changed", {"steps": [1, {"$text": 2}]})),
        ev.Stamped("s1", 0, 2, 1.0, ev.UserSpoke("x"), {"mood": "good"}),
    ]
    with store.begin("s1", STARTED) as recorder:
        for stamped in newer:
            recorder(stamped)
    assert list(store.events("s1")) == newer
    assert ev.to_json(newer[1])["mood"] == "good"


def test_messages_can_be_asked_for_with_sql(store: Store, tmp_path: Path) -> None:
    with store.begin("s1", STARTED) as recorder:
        stream = stream_to(recorder)
        for event in (
            ev.MessagePosted("coder", "code"),
            ev.InstructionGiven("run it"),
            ev.MessagePosted("executor", "running"),
            ev.ReportMade("it runs"),
            ev.UserSpoke("good"),
        ):
            stream.emit(event)
    with sqlite3.connect(tmp_path / "state" / "sessions.db") as connection:
        rows = connection.execute("SELECT conversation, who, text FROM messages ORDER BY seq").fetchall()
    connection.close()
    assert rows == [
        ("team", "coder", "code"),
        ("executor", "team", "run it"),
        ("executor", "executor", "running"),
        ("team", "executor", "it runs"),
        ("team", "user", "good"),
    ]
