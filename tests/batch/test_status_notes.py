"""How a batch stands is noted in the state folder while it works, and one that was killed is seen as stopped."""

import json
import time
from pathlib import Path

import pytest

from super_agent.core.batches import status_notes
from super_agent.core.batches.status_notes import (
    BatchNote,
    NoteFile,
    RunningAttempt,
    batch_name,
    batches,
    running_batches,
)
from tests.batch.conftest import CHECK, Lines, run_batch, solve
from tests.cli.background import start, wait_until
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say


def note(folder: Path, **more: object) -> BatchNote:
    facts = {"folder": str(folder), "source": "t.jsonl", "began": 100.0, "parallel": 1, "tasks": 10}
    return BatchNote.model_validate(facts | {"kept": 2, "kept_done": 1} | more)


def state_of(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state"


def test_a_batch_that_is_done_says_so_and_how_it_went(super_agent: SuperAgent, lines: Lines, tmp_path: Path) -> None:
    good = {"id": "good", "task": "Write add.py", "check": CHECK}
    tasks, out = lines(good, good | {"id": "bad", "task": "hopeless", "limits": {"turns": 1}}), tmp_path / "out"
    with ScriptedOllama(autogen=solve) as server:
        assert run_batch(super_agent, server, tasks, out).code == 1
        (first,) = batches(state_of(tmp_path))
        more = lines(good, good | {"id": "other"})
        assert run_batch(super_agent, server, more, out).code == 0
    (again,) = batches(state_of(tmp_path))
    assert first.state == again.state == "ended"
    seen, later = first.note, again.note
    assert (seen.folder, seen.source, seen.tasks, seen.kept, seen.finals, seen.done) == (
        str(out), str(tasks), 2, 0, 2, 1,
    )  # fmt: skip
    assert seen.running == ()
    assert seen.left_s(time.time()) is None
    assert (later.tasks, later.kept, later.kept_done, later.finals, later.done) == (2, 1, 1, 1, 1)
    assert first.name == again.name == batch_name(out)


def test_a_batch_under_way_names_what_runs_and_a_killed_one_is_stopped(lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    tasks = lines(*({"id": f"t{n}", "task": "Write add.py", "check": CHECK} for n in range(3)))
    with ScriptedOllama(autogen=lambda request: Say(solve(request), wait_s=0.7)) as server:
        where = ("--out", str(tmp_path / "out"), "--base-url", server.base_url, "--model", server.model)
        process = start(tmp_path, "batch", str(tasks), *where, "--parallel=1")

        def known() -> bool:
            found = running_batches(state_of(tmp_path))
            return any(seen.note.finals and seen.note.running and seen.note.running[0].session for seen in found)

        try:
            wait_until(known, "a result, and a run that has begun after it")
            (seen,) = running_batches(state_of(tmp_path))
            assert seen.state == "running"
            assert seen.note.running[0].id in ("t1", "t2")
            assert (seen.note.left_s(time.time()) or 0) > 0
        finally:
            process.kill()
            process.communicate(timeout=30)
    (seen,) = batches(state_of(tmp_path))
    assert seen.state == "stopped"
    assert running_batches(state_of(tmp_path)) == []


def test_the_estimate_is_the_pace_so_far_times_what_is_left(tmp_path: Path) -> None:
    assert note(tmp_path).left_s(160.0) is None
    assert note(tmp_path, finals=2).left_s(160.0) == 60.0 / 2 * 6
    assert note(tmp_path, finals=2, ended=150.0).left_s(160.0) is None


def test_a_state_folder_that_cannot_be_written_is_said_and_ends_no_batch(
    super_agent: SuperAgent, lines: Lines, tmp_path: Path
) -> None:
    state_of(tmp_path).mkdir(parents=True)
    (state_of(tmp_path) / "batches").write_text("in the way")
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(
            super_agent, server, lines({"id": "a", "task": "Write add.py", "check": CHECK}), tmp_path / "out"
        )
    assert done.code == 0, done.err
    assert done.err.count("does not show this batch") == 1


def test_of_many_batches_the_oldest_are_forgotten_and_none_that_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_notes, "MOST_NOTES", 3)
    held = NoteFile(tmp_path, tmp_path / "alive")
    held.write(note(tmp_path / "alive", began=1.0))
    for number in range(2, 7):
        file = NoteFile(tmp_path, tmp_path / str(number))
        file.write(note(tmp_path / str(number), began=float(number)))
        file.close()
        time.sleep(0.02)
    assert [(seen.note.began, seen.state) for seen in batches(tmp_path)] == [
        (6.0, "stopped"), (5.0, "stopped"), (4.0, "stopped"), (1.0, "running"),
    ]  # fmt: skip
    assert len(list((tmp_path / "batches").iterdir())) == 8
    held.close()
    assert running_batches(tmp_path) == []


def test_what_cannot_be_read_is_no_batch_and_one_folder_has_one_batch(tmp_path: Path) -> None:
    with_session = RunningAttempt(id="a", attempt=1, since=2.0, session="s", host="h")
    first = NoteFile(tmp_path, tmp_path / "one")
    first.write(note(tmp_path / "one", running=(with_session,)))
    with pytest.raises(BlockingIOError):
        NoteFile(tmp_path, tmp_path / "one")
    (tmp_path / "batches" / "torn.json").write_text('{"folder": "/x", "sou')
    (tmp_path / "batches" / "other.json").write_text(json.dumps({"version": 9}))
    (seen,) = batches(tmp_path)
    assert seen.note.running == (with_session,)
    first.close()
    NoteFile(tmp_path, tmp_path / "one").close()
