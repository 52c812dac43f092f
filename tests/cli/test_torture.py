"""Runs killed at random moments and resumed end as the undisturbed one does: same files, same transcript.

`TORTURE_RUNS=50` (make torture) is the full form; a plain test run does a few.
"""

import itertools
import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from super_agent.core.errors import ExitCode
from super_agent.core.instance.client_registry import live_clients
from super_agent.core.snapshots.stream import MAX_FILE_BYTES
from tests.cli.background import start
from tests.cli.three_turns import CHECK, TASK, Ended, begin_anew, executor, left_behind, team
from tests.scripted_ollama import ScriptedOllama

RUNS = int(os.environ.get("TORTURE_RUNS", "3"))
MAX_RESUMES = 12
ENDED = "has ended: the check failed before"
"""Said to whoever resumes a run that was killed after its end was kept."""


def torture(tmp_path: Path, server: ScriptedOllama, chance: random.Random, within_s: float) -> int:
    """Start, and kill and resume until the run is over; returns how often it was killed."""
    where = ("--workspace", str(tmp_path / "workspace"))
    arguments = ("run", TASK, *where, "--base-url", server.base_url, "--model", server.model, "--check", CHECK)
    for kills in range(MAX_RESUMES):
        process = start(tmp_path, *arguments, "--json")
        try:
            time.sleep(chance.uniform(0.2, within_s))
            process.kill()
        finally:
            out, err = process.communicate(timeout=60)
        if process.returncode == 0 or ENDED in err:  # killed after its end was kept
            return kills
        assert process.returncode == -signal.SIGKILL, out[-1000:] + err
        kept = "nothing to go on from" not in err and "no session" not in err and "run_started" in out
        arguments = ("resume", *where) if kept or (arguments[0] == "resume" and process.returncode < 0) else arguments
        if not kept and arguments[0] == "run":
            begin_anew(tmp_path)
    process = start(tmp_path, *arguments, "--json")
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0 or ENDED in err, out[-1000:] + err
    return MAX_RESUMES


def kill_children(tmp_path: Path, server: ScriptedOllama, chance: random.Random) -> None:
    """Start a run and kill what works for it, the engine's host or a sandbox, five times.

    A host killed before it could start ends the run with the executor's exit code; then it is resumed.
    """
    where = ("--workspace", str(tmp_path / "workspace"))
    more = ("--base-url", server.base_url, "--model", server.model, "--check", CHECK, "--json")
    process = start(tmp_path, "run", TASK, *where, *more)
    for _ in range(5):
        time.sleep(chance.uniform(0.2, 1.0))
        with suppress(psutil.Error):
            # Not git: it works for a few milliseconds only, and without it a run ends, as it should.
            children = [c for c in psutil.Process(process.pid).children(recursive=True) if c.name() != "git"]
            if children:
                chance.choice(children).kill()
    out, err = process.communicate(timeout=110)
    if process.returncode == ExitCode.EXECUTOR and "Open Interpreter did not start" in err:
        process = start(tmp_path, "resume", *where, "--json")
        out, err = process.communicate(timeout=110)
    assert process.returncode == 0, out[-1000:] + err


def orphans(tmp_path: Path) -> list[str]:
    """Processes that still know of this test's folder."""
    lines = (" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]) if p.pid != os.getpid())
    return [line for line in lines if str(tmp_path) in line]


def test_a_run_whose_helpers_are_killed_at_random_moments_still_ends(
    undisturbed: tuple[Ended, float], tmp_path: Path
) -> None:
    (tmp_path / "workspace").mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server:
        kill_children(tmp_path, server, random.Random(1))
    ended = left_behind(tmp_path)
    assert ended.reason == "check_passed"
    assert ended.files["calc.py"] == undisturbed[0].files["calc.py"]


class User:
    """Somebody who works in the same folder all the time: texts of their own, and a file above the snapshots' limit."""

    def __init__(self, workspace: Path) -> None:
        self.texts: dict[str, str] = {}
        self._workspace = workspace
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "User":
        with open(self._workspace / "data.bin", "wb") as file:
            file.truncate(MAX_FILE_BYTES + 1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        for number in itertools.count():
            name = f"notes{number % 5}.txt"
            self.texts[name] = f"the user's {number}\n"
            (self._workspace / name).write_text(self.texts[name])
            with open(self._workspace / "data.bin", "ab") as file:
                file.write(b"x")
            if self._ended.wait(0.08):
                break


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(RUNS))
def test_what_a_user_does_beside_a_run_that_is_killed_stays(
    undisturbed: tuple[Ended, float], tmp_path: Path, seed: int
) -> None:
    expected, took_s = undisturbed
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server, User(workspace) as user:
        torture(tmp_path, server, random.Random(seed), took_s * 1.2)
    (workspace / "data.bin").rename(tmp_path / "data.bin")  # no text
    ended = left_behind(tmp_path)
    assert {name: ended.files[name] for name in user.texts} == user.texts
    assert {name: ended.files[name] for name in expected.files} == expected.files
    assert (tmp_path / "data.bin").stat().st_size > MAX_FILE_BYTES
    assert ended.reason == expected.reason


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_run_killed_at_random_moments_ends_as_the_undisturbed_one(
    undisturbed: tuple[Ended, float], tmp_path: Path, seed: int
) -> None:
    expected, took_s = undisturbed
    (tmp_path / "workspace").mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server:
        torture(tmp_path, server, random.Random(seed), took_s * 1.2)
    ended = left_behind(tmp_path)
    assert ended.transcript == expected.transcript
    assert ended == expected
    assert expected.files["numbers.txt"] == "1\n2\n3\n4\n"
    deadline = time.monotonic() + 10
    while (left := orphans(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    state = tmp_path / "home" / "state"
    assert [p for p in (state / "shadow").rglob("*.lock") if p.parent.name.endswith(".git")] == []
    assert live_clients(state) == ()
