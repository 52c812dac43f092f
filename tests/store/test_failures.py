"""When the disk, the file or another process gets in the way: one clear error, and nothing lost that was stored."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from super_agent.core import events as ev
from super_agent.core.errors import StoreFailed, StoreUnusable
from super_agent.core.store.database import Database
from super_agent.core.store.schema import MIGRATIONS
from super_agent.core.store.store import Store
from tests.store.conftest import STARTED
from tests.store.test_store import stream_to

PROJECT = Path(__file__).resolve().parents[2]
EVENTS_A_TURN = 20


def write_turns(store: Store, session: str, turns: int, text: str = "x") -> None:
    with store.begin(session, STARTED) as recorder:
        stream = stream_to(recorder)
        for number in range(1, turns + 1):
            stream.emit(ev.TurnStarted(number))
            for _ in range(EVENTS_A_TURN - 1):
                stream.emit(ev.UserSpoke(text))
            recorder.checkpoint(number, text)


def writer(state: Path, session: str, turns: int) -> subprocess.Popen[bytes]:
    """Another process that does the same, and says when it has begun."""
    code = (
        "import sys; from pathlib import Path; from tests.store.test_failures import Store, write_turns\n"
        "store = Store.open(Path(sys.argv[1])); print(flush=True); write_turns(store, sys.argv[2], int(sys.argv[3]))"
    )
    arguments = [sys.executable, "-c", code, str(state), session, str(turns)]
    return subprocess.Popen(arguments, cwd=PROJECT, stdout=subprocess.PIPE)


def test_a_full_disk_is_one_error_and_loses_nothing_stored(tmp_path: Path) -> None:
    database = Database(tmp_path / "sessions.db")
    with Store(database, tmp_path) as store:
        recorder = store.begin("s1", STARTED)
        stream = stream_to(recorder)
        for event in (STARTED, ev.TurnStarted(1), ev.UserSpoke("kept")):
            stream.emit(event)
        recorder.checkpoint(1, "kept")
        kept = list(store.events("s1"))
        (pages,) = database.rows("PRAGMA page_count")[0]
        database.rows(f"PRAGMA max_page_count = {pages}")
        stream.emit(ev.TurnStarted(2))
        stream.emit(ev.ReportMade("y" * 60_000))
        with pytest.raises(StoreFailed, match="full.*super-agent sessions prune"):
            stream.emit(ev.TurnStarted(3))
        stream.emit(ev.UserSpoke("dropped"))  # told once; the run must still be able to end
        recorder.checkpoint(2, "dropped")
        recorder.close()
        assert list(store.events("s1")) == kept
        checkpoint = store.last_checkpoint("s1")
        assert checkpoint is not None
        assert checkpoint.state == "kept"


@pytest.mark.parametrize("bad", [b"not a database at all, but a text of some length" * 30, b"SQLite format 3\0" * 99])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "sessions.db").write_bytes(bad)
    with pytest.raises(StoreUnusable, match=r"damaged: move it away \(mv .*--no-store"):
        Store.open(tmp_path)
    assert (tmp_path / "sessions.db").read_bytes() == bad


def test_a_file_that_is_damaged_while_it_is_used_is_an_error_and_no_crash(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        write_turns(store, "s1", 20, "x" * 500)
    file = tmp_path / "sessions.db"
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (size - 4096))
    with Store.open(tmp_path) as store, pytest.raises(StoreFailed, match="damaged: move it away"):
        list(store.events("s1"))


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnusable, match=f"newer super-agent \\(schema 99, this one knows {len(MIGRATIONS)}\\)"):
        Store.open(tmp_path)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").mkdir()
    with pytest.raises(StoreUnusable, match="Is a directory"):
        Store.open(tmp_path)


def test_a_large_text_that_is_gone_or_changed_is_an_error(store: Store, tmp_path: Path) -> None:
    with store.begin("s1", STARTED) as recorder:
        stream_to(recorder).emit(ev.ReportMade("y" * 100_000))
    (text,) = (tmp_path / "state" / "texts").iterdir()
    text.write_text("z")
    with pytest.raises(StoreFailed, match="is damaged"):
        list(store.events("s1"))
    text.unlink()
    with pytest.raises(StoreFailed, match="No such file"):
        list(store.events("s1"))


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    writers = [writer(tmp_path, f"s{number}", 25) for number in range(4)]
    for process in writers:
        with process:
            assert process.wait(60) == 0
    with Store.open(tmp_path) as store:
        assert {row.id: (row.turns, row.state) for row in store.sessions()} == {
            f"s{number}": (25, "broken off") for number in range(4)
        }
        for number in range(4):
            assert [s.seq for s in store.events(f"s{number}")] == [*range(1, 25 * EVENTS_A_TURN + 1)]


def test_whatever_kill_9_interrupts_only_whole_turns_are_seen(tmp_path: Path) -> None:
    for number in range(5):
        with writer(tmp_path, f"s{number}", 100_000) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with Store.open(tmp_path) as store:
                while not any(row.id == f"s{number}" and row.turns > number for row in store.sessions()):
                    assert process.poll() is None
            process.send_signal(signal.SIGKILL)
        with Store.open(tmp_path) as store:
            row = store.find(f"s{number}")
            assert row.state == "broken off"
            assert len(list(store.events(row.id))) == row.turns * EVENTS_A_TURN
            checkpoint = store.last_checkpoint(row.id)
            assert checkpoint is not None
            assert (checkpoint.turn, checkpoint.seq) == (row.turns, row.turns * EVENTS_A_TURN)
            store.continue_session(row.id).close()
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
