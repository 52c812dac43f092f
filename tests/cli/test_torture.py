"""Runs killed at random moments and resumed end as the undisturbed one does: same files, same transcript.

`TORTURE_RUNS=50` (make torture) is the full form; a plain test run does a few.
"""

import json
import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from super_agent.core.clients import live_clients
from super_agent.core.errors import ExitCode
from super_agent.core.store.store import Store
from tests.cli.background import start
from tests.scripted_http import Request
from tests.scripted_ollama import ScriptedOllama

RUNS = int(os.environ.get("TORTURE_RUNS", "3"))
TASK = "Write calc.py with add and sub."
CHECK = "python -c 'from calc import add, sub; assert add(2, sub(5, 2)) == 5'"
TURNS = {
    1: "```python calc.py\ndef add(a, b):\n    return a - b\n```\n```run\nWrite 1 to 3 to numbers.txt.\n```",
    2: "```python helper.py\nNAME = 'helper'\n```\n```run\nAppend a line to numbers.txt.\n```",
    3: "```python calc.py\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n```",
}  # fmt: skip
CODE = {
    "1 to 3": "```python\nopen('numbers.txt', 'w').write('1\\n2\\n3\\n')\n```",
    "Append": "```shell\necho 4 >> numbers.txt; sleep 0.2; cat numbers.txt\n```",
}
MAX_RESUMES = 12


def team(request: Request) -> str:
    """What the model says depends on the prompt alone, as a real one's does at temperature 0."""
    cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
    if cue.startswith("Planner"):
        return "1. Write calc.py."
    if cue.startswith("Reviewer"):
        return '{"verdict": "revise", "reasons": "go on"}'
    said = [text for role, text in request.prompt if role == "assistant"]
    return TURNS[1 + sum(text in TURNS.values() for text in said)]


def executor(request: Request) -> str:
    """One block for an instruction, then the end."""
    last = request.prompt[-1][1]
    if "Result of the" in last.rsplit("The Python process was restarted", 1)[-1]:
        return "Done."
    return CODE["Append" if "Append" in last else "1 to 3"]


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a run."""

    files: dict[str, str]
    transcript: list[object]
    reason: str | None


def left_behind(tmp_path: Path) -> Ended:
    workspace = tmp_path / "workspace"
    files = {p.name: p.read_text() for p in workspace.iterdir() if p.is_file()}
    with Store.open(tmp_path / "home" / "state") as store:
        (row,) = store.sessions(workspace)
        checkpoint = store.last_checkpoint(row.id)
        seqs = [stamped.seq for stamped in store.events(row.id)]
    assert seqs == sorted(set(seqs))
    assert checkpoint is not None
    transcript = json.loads(json.loads(checkpoint.state)["work"]["work"].replace(str(tmp_path), "TMP"))
    return Ended(files, transcript, row.reason)


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
        if process.returncode == 0 or "has ended: the check failed before" in err:  # killed after its end was kept
            return kills
        assert process.returncode == -signal.SIGKILL, out[-1000:] + err
        kept = "nothing to go on from" not in err and "no session" not in err and "turn_started" in out
        arguments = ("resume", *where) if kept or (arguments[0] == "resume" and process.returncode < 0) else arguments
        if not kept and arguments[0] == "run":
            begin_anew(tmp_path)
    process = start(tmp_path, *arguments, "--json")
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, out[-1000:] + err
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


def begin_anew(tmp_path: Path) -> None:
    """A run killed before its first turn could begin is given again, as a user would."""
    with Store.open(tmp_path / "home" / "state") as store:
        for row in store.sessions():
            store.remove(row.id)


def orphans(tmp_path: Path) -> list[str]:
    """Processes that still know of this test's folder.

    Not counted: a bubblewrap that was still starting, without a child. Its parent was killed before it had asked to be
    told of that, so it waits for ever and runs nothing (SECURITY.md says so).
    """
    found = []
    for process in psutil.process_iter(["pid", "name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(tmp_path) not in line or process.pid == os.getpid():
            continue
        with suppress(psutil.NoSuchProcess):
            if process.info["name"] != "bwrap" or process.children():
                found.append(line)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, float]:
    """The run as it should be, and how long it takes."""
    tmp_path = tmp_path_factory.mktemp("undisturbed")
    (tmp_path / "workspace").mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server:
        began = time.monotonic()
        process = start(
            tmp_path, "run", TASK, "--workspace", str(tmp_path / "workspace"), "--base-url", server.base_url,
            "--model", server.model, "--check", CHECK, "--json",
        )  # fmt: skip
        out, err = process.communicate(timeout=110)
    assert process.returncode == 0, out[-1000:] + err
    return left_behind(tmp_path), time.monotonic() - began


def test_a_run_whose_helpers_are_killed_at_random_moments_still_ends(
    undisturbed: tuple[Ended, float], tmp_path: Path
) -> None:
    (tmp_path / "workspace").mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server:
        kill_children(tmp_path, server, random.Random(1))
    ended = left_behind(tmp_path)
    assert ended.reason == "check_passed"
    assert ended.files["calc.py"] == undisturbed[0].files["calc.py"]


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
