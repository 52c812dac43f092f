"""Two runs of the command line on one server: one waits for the other, says so, and gives up its place when it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from super_agent.core.events import discard
from super_agent.core.model.middleware import RequestFacts
from super_agent.core.ollama.api import Ollama
from super_agent.core.queue.run_queue import RunQueue
from tests.cli.conftest import CHECKOUT
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say

CODE = "```python\nprint({})\n```"


@contextmanager
def running(server: ScriptedOllama, tmp_path: Path, task: str) -> Iterator["subprocess.Popen[str]"]:
    """`super-agent exec` in a workspace of its own, with the state folder of all runs of this test."""
    workspace = tmp_path / task
    workspace.mkdir()
    command = [sys.executable, "-m", "super_agent.cli.main", "exec", task, "-w", str(workspace), "--json"]
    command += ["--base-url", server.base_url, "--model", server.model]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def events_until(process: "subprocess.Popen[str]", kind: str = "run_ended") -> list[dict[str, Any]]:
    """What it says, up to the first event of a kind."""
    assert process.stdout is not None
    seen: list[dict[str, Any]] = []
    for line in process.stdout:
        seen.append(json.loads(line))
        if seen[-1]["type"] == kind:
            return seen
    raise AssertionError(f"no {kind} in {[event['type'] for event in seen]}")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_calls_of_two_runs_are_not_mixed(tmp_path: Path) -> None:
    said = {"Ann": 0, "Bob": 0}

    def answer(request: Any) -> Say:
        name = "Ann" if "Ann" in json.dumps(request.body) else "Bob"
        said[name] += 1
        return Say(CODE.format(said[name]) if said[name] < 4 else "Done.", wait_s=0.3)

    with ScriptedOllama(answer) as server:
        with running(server, tmp_path, "Ann") as one, running(server, tmp_path, "Bob") as two:
            seen = [events_until(process) for process in (one, two)]
            assert [process.wait(30) for process in (one, two)] == [0, 0]
        order = ["Ann" if "Ann" in json.dumps(request.body) else "Bob" for request in server.chats]
    assert sorted(order) == ["Ann"] * 4 + ["Bob"] * 4
    assert sum(a != b for a, b in pairwise(order)) == 1
    waits = [[e for e in events if e["type"] in ("queued", "queue_passed")] for events in seen]
    assert sorted(len(one) for one in waits) == [0, 2]
    [queued, passed] = max(waits, key=len)
    assert (queued["position"], len(queued["waiting_for"])) == (1, 1)
    assert passed["waited_s"] > 0


def test_ctrl_c_ends_a_run_that_waits_and_nothing_is_sent(tmp_path: Path, state: Path) -> None:
    with ScriptedOllama(["never asked"]) as server:
        settings = server.settings(state_dir=state)
        with Ollama(settings) as management:
            scope = management.show(settings.model).weights or settings.model
        holder = RunQueue(settings, scope, "the holder", discard, lambda: 1)
        request = RequestFacts("autogen", settings.model, 1)
        holder.enter(request)
        with running(server, tmp_path, "Ann") as process:
            queued = events_until(process, "queued")[-1]
            process.send_signal(signal.SIGINT)
            end = events_until(process)[-1]
            assert process.wait(30) == 130
        assert queued["waiting_for"] == ["the holder"]
        assert end["reason"] == "interrupted"
        assert server.chats == []
        [order] = (state / "queue").rglob("order.json")
        assert [place["label"] for place in json.loads(order.read_text())] == ["the holder"]
        holder.close()


def test_a_run_of_the_team_waits_as_well_and_ends_with_its_deadline(tmp_path: Path, state: Path) -> None:
    with ScriptedOllama(["never asked"]) as server:
        settings = server.settings(state_dir=state)
        with Ollama(settings) as management:
            scope = management.show(settings.model).weights or settings.model
        holder = RunQueue(settings, scope, "the holder", discard, lambda: 1)
        holder.enter(RequestFacts("autogen", settings.model, 1))
        (tmp_path / "work").mkdir()
        command = [sys.executable, "-m", "super_agent.cli.main", "run", "x", "-w", str(tmp_path / "work")]
        command += ["--base-url", server.base_url, "--model", server.model]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME")},
            "SUPER_AGENT_STATE_DIR": str(state),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "SUPER_AGENT_QUEUE_TIMEOUT_S": "0.3",
        }
        done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, env=environment, check=False)
        holder.close()
        assert server.chats == []
    assert done.returncode == 3, done.stderr
    assert "was not free within 0.3 s: position 1, behind the holder" in done.stderr
    assert "Traceback" not in done.stderr
    assert "waiting for the model: position 1 in the queue, the holder has it" in done.stdout
