"""A batch whose runs and driver are killed at random moments has each result once.

`TORTURE_TASKS=1000` is the full form; a plain test run does a few.
"""

import os
import random
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.batch.conftest import CHECK, Lines, results, solve
from tests.cli.background import start
from tests.scripted_ollama import ScriptedOllama

TASKS = int(os.environ.get("TORTURE_TASKS", "3"))
KILLS_BEFORE = 2
"""Before the first result; then one for each two results. Kills by the clock alone leave a slow machine no run to its
end, and a run that is killed more than `MAX_KILLS` times is given up until a later start."""
SECONDS_A_TASK = 30
"""For the whole test's limit; a task takes about one second on an idle machine."""


def kill_one(driver: psutil.Process, chance: random.Random) -> str:
    """Kill a run or, less often, the driver; returns what was killed."""
    with suppress(psutil.Error):
        runs = [c for c in driver.children() if "super_agent.cli.main" in " ".join(c.cmdline())]
        if chance.random() < 0.25 or not runs:
            driver.kill()
            return "driver"
        chance.choice(runs).kill()
        return "run"
    return "nothing"


def kept(out: Path) -> int:
    """Results on disk."""
    path = out / "results.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.timeout(max(120, TASKS * SECONDS_A_TASK))
def test_killed_runs_and_drivers_lose_nothing_and_count_nothing_twice(lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    source = tmp_path / "source"
    source.mkdir()
    (source / "notes.txt").write_text("keep me\n")
    task = {"task": "Write add.py", "workspace": str(source), "check": CHECK}
    tasks = lines(*(task | {"id": f"t{number}"} for number in range(TASKS)))
    out, chance, killed = tmp_path / "out", random.Random(7), dict[str, int]()
    with ScriptedOllama(autogen=solve) as server:
        where = ("--out", str(out), "--base-url", server.base_url, "--model", server.model, "--parallel", "4")
        deadline = time.monotonic() + max(100, TASKS * SECONDS_A_TASK - 20)
        while True:
            process = start(tmp_path, "batch", str(tasks), *where)
            try:
                driver = psutil.Process(process.pid)
                while process.poll() is None and time.monotonic() < deadline:
                    time.sleep(chance.uniform(1.0, 4.0))
                    if process.poll() is None and sum(killed.values()) < KILLS_BEFORE + kept(out) // 2:
                        what = kill_one(driver, chance)
                        killed[what] = killed.get(what, 0) + 1
            finally:
                process.kill()
                said, err = process.communicate(timeout=30)
            if process.returncode == 0 or time.monotonic() >= deadline:
                break
            assert process.returncode == -9, said + err
    assert process.returncode == 0, said + err
    assert killed.get("run", 0) + killed.get("driver", 0) > 0
    finals = [line["id"] for line in results(out) if line["final"]]
    assert sorted(finals) == sorted(f"t{number}" for number in range(TASKS))
    assert {line["outcome"] for line in results(out)} == {"done"}
    assert list((out / "runs").iterdir()) == []
    assert [p.name for p in source.iterdir()] == ["notes.txt"]
