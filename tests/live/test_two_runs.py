"""Two runs at once on a real server with one slot: one context after the other, not one call after the other."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from super_agent.core.ollama import processes
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from tests.live.conftest import LiveOllama

CHECKOUT = Path(__file__).resolve().parents[2]
CALLS = 5

pytestmark = pytest.mark.timeout(300)  # two processes start at once


def talk(live_ollama: LiveOllama, state: Path) -> list[list[dict[str, Any]]]:
    """What two processes told that began at the same moment."""
    runs = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.live.talker",
                str(state),
                live_ollama.base_url,
                live_ollama.model,
                name,
                str(CALLS),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env=dict(os.environ),
        )
        for name in ("Ann", "Bob")
    ]
    for run in runs:
        assert run.stdout is not None
        assert json.loads(run.stdout.readline()) == {"kind": "ready"}
    told: list[list[dict[str, Any]]] = [[], []]

    def finish(number: int) -> None:
        out, _err = runs[number].communicate("go\n", timeout=280)
        told[number] = [json.loads(line) for line in out.splitlines()]

    threads = [threading.Thread(target=finish, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.returncode for run in runs] == [0, 0]
    return told


def test_two_runs_do_not_drive_a_one_slot_server_from_context_to_context(
    live_ollama: LiveOllama, live_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    with Ollama(live_settings()) as server:
        server.load(live_ollama.model, "5m")
    mark = live_ollama.log.mark()
    told = talk(live_ollama, tmp_path / "state")
    calls = sorted((line for lines in told for line in lines if line["kind"] == "call"), key=lambda c: c["began"])
    assert len(calls) == 2 * CALLS
    # One after the other at the server: no call began before the one before it had ended.
    assert all(before["ended"] <= after["began"] + 0.05 for before, after in pairwise(calls))
    assert sum(one["name"] != other["name"] for one, other in pairwise(calls)) == 1
    assert sorted(len([line for line in lines if line["kind"] == "queue_passed"]) for lines in told) == [0, 1]
    # The log's word: only a run's first prompt is evaluated whole, each later one from where the last had ended.
    evaluations = live_ollama.log.evaluations_since(mark)
    assert len(evaluations) == len(calls)
    whole = [e for e in evaluations if e.evaluated > e.prompt / 2]
    assert len(whole) == 2
    new = sum(last["prompt"] for last in (calls[CALLS - 1], calls[-1])) - sum(
        call["out"] for call in calls[: CALLS - 1] + calls[CALLS:-1]
    )
    # The end mark of a reply and the like: a few tokens for each call.
    assert sum(e.evaluated for e in evaluations) <= new + 8 * len(calls)


def test_the_slots_of_a_real_server_are_seen(live_ollama: LiveOllama, live_settings: Callable[..., Settings]) -> None:
    with Ollama(live_settings()) as server:
        server.load(live_ollama.model, "5m")
        weights = server.show(live_ollama.model).weights
    assert processes.slots(live_ollama.base_url, weights) == 1
