"""A store of an earlier schema opens: its events are read, its sessions go on from their last checkpoint."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from interpreter.conversation import Done
from super_agent.core import events as ev
from super_agent.core.store.blob_store import BlobStore
from super_agent.core.store.store import Store
from super_agent.session.run_state import RunState
from super_agent.team.transcript import CheckFacts, ResampleFacts, TaskFacts, WorkspaceFacts

TEAM, SOLO = "20261101-101010-aaaa", "20261101-111111-bbbb"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The state folder of `schema_1.sql`."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / "sessions.db")) as database:
        database.executescript((Path(__file__).parent / "schema_1.sql").read_text(encoding="utf-8"))
    return folder


def test_its_events_are_read(earlier: Path) -> None:
    with Store.open(earlier) as store:
        events = [stamped.event for stamped in store.events(SOLO)]
        assert not any(isinstance(event, ev.NewerEvent) for event in events)
        assert isinstance(events[-1], ev.RunEnded)
        assert ev.FileWritten("add.py", "edited", "+\ud800", 1, 0) in events
        row = store.find(SOLO)
        assert (row.state, row.turns, row.files, row.prompt_tokens) == ("ended", 2, ("add.py",), 200)


def test_a_teams_session_goes_on_from_its_last_checkpoint(earlier: Path) -> None:
    with Store.open(earlier) as store:
        kept = store.last_checkpoint(TEAM)
        assert kept is not None
        state = RunState.from_json(kept.state)
        assert (kept.turn, state.turns, state.limits["turns"]) == (2, 2, 8)
        assert state.work.team is not None
        task, *_, check, resampled, _verdict, _continued = (e.facts for e in state.work.team.transcript.entries)
        assert task == TaskFacts("write add.py", "ab12", (1, -2))
        assert WorkspaceFacts(("add.py", "tests/\udcff.py"), 0, 1, "run it", "d1") in (
            entry.facts for entry in state.work.team.transcript.entries
        )
        assert (check, resampled) == (
            CheckFacts(False, "s1", "d1", (1, -1)),
            ResampleFacts(1, None, "the same failure"),
        )
        assert state.work.conversation.done == [Done("go", "done")]
        store.continue_session(TEAM).close()
        assert [type(s.event) for s in store.events(TEAM)][-1] is ev.FileWritten


def test_a_solo_session_goes_on_from_its_last_checkpoint(earlier: Path) -> None:
    with Store.open(earlier) as store:
        kept = store.last_checkpoint(SOLO)
        assert kept is not None
        work = RunState.from_json(kept.state).work
        assert work.solo is not None
        assert (work.solo.turns, work.solo.last, work.team) == (2, ("s1", "add.py"), None)


def test_of_states_that_were_files_only_the_last_is_kept(earlier: Path) -> None:
    texts = BlobStore(earlier / "texts")
    names = [texts.put(f"{turn}" * 100_000) for turn in (1, 2)]
    with closing(sqlite3.connect(earlier / "sessions.db")) as database:
        for turn, name in enumerate(names, 1):
            state = (json.dumps({"state": {"$text": name}}), TEAM, turn)
            database.execute("UPDATE checkpoints SET state = ? WHERE session = ? AND turn = ?", state)
            database.execute("INSERT INTO texts VALUES (?, ?)", (name, TEAM))
        database.commit()
    with Store.open(earlier) as store:
        kept = store.last_checkpoint(TEAM)
        assert kept is not None
        assert kept.state == "2" * 100_000
        store.remove(SOLO)
        assert [path.name for path in (earlier / "texts").iterdir()] == names[1:]


def test_only_the_last_checkpoint_is_kept(tmp_path: Path) -> None:
    started = ev.RunStarted("do it", "team", "/w", "m", "http://h", None, "bubblewrap", {})
    with Store.open(tmp_path / "state") as store, store.begin("s1", started) as recorder:
        for turn in range(5):
            recorder.checkpoint(turn, f"{turn}" * 100_000)
        with closing(sqlite3.connect(tmp_path / "state" / "sessions.db")) as database:
            rows = database.execute("SELECT turn, length(state) FROM last_checkpoints").fetchall()
        assert rows == [(4, 100_012)]
        assert not (tmp_path / "state" / "texts").exists()
