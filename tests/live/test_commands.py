"""The commands on the real server, model, AutoGen, Open Interpreter and sandbox."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.demo import DOUBLE, PROJECT
from super_agent.provision.demo_model import TINY
from tests.live.conftest import LiveOllama

pytestmark = pytest.mark.timeout(300)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(live_ollama: LiveOllama, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
        "OLLAMA_BASE_URL": live_ollama.base_url,
        "DEFAULT_MODEL": live_ollama.model,
        # A tiny model that loses its way would write until its limit.
        "SUPER_AGENT_MAX_REPLY_TOKENS": "200",
        "SUPER_AGENT_MAX_ROUNDS": "3",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return start


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    path.mkdir()
    return path


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def ended_as_its_check_says(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The last event; a model this small succeeds by luck, so what is asked is that the end agrees with the check."""
    seen = events(done)
    checked = [e["passed"] for e in seen if e["type"] == "check_finished"]
    assert len(checked) > 1, done.stdout[-3000:] + done.stderr
    assert (done.returncode == 0) == checked[-1] == (seen[-1]["reason"] == "check_passed"), done.stdout[-3000:]
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr
    return seen[-1]


def test_a_team_s_run_ends_as_its_check_says(run: Run, workspace: Path) -> None:
    done = run(
        "-m", "super_agent.cli.main", "run", DOUBLE.task, "--check", DOUBLE.check, "-w", str(workspace), "--json"
    )
    end = ended_as_its_check_says(done)
    assert end["instance"]["reload"] == end["instance"]["truncation"] == end["instance"]["eviction"] == 0


def test_team_and_executor_in_one_run_use_one_runner(live_ollama: LiveOllama, run: Run, workspace: Path) -> None:
    run("-m", "super_agent.cli.main", "up")
    before = live_ollama.runners()
    done = run("-m", "super_agent.cli.main", "run", DOUBLE.task, "-w", str(workspace), "--json", "--max-turns", "1")
    seen = events(done)
    assert live_ollama.runners() == before
    assert {u["client"] for u in seen[-1]["usage"]} == {"autogen", "open-interpreter"}, done.stderr
    loads = [e["load_s"] for e in seen if e["type"] == "request_finished" and e["load_s"] is not None]
    assert loads
    assert max(loads) < 0.2
    assert set(seen[-1]["instance"].values()) == {0}


def test_the_executor_alone_ends_with_what_it_left_in_the_workspace(run: Run, workspace: Path) -> None:
    task = "Use Python to write the text hello into the file out.txt."
    done = run("-m", "interpreter", task, "-w", str(workspace), "--json")
    seen = events(done)
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr
    assert {"speaker_started", "text_streamed"} <= {e["type"] for e in seen}
    assert seen[-1]["files_changed"] == sorted(path.name for path in workspace.iterdir())


def test_a_solo_run_ends_as_its_check_says(run: Run, workspace: Path) -> None:
    task = "Use Python to write the text hello into the file out.txt."
    arguments = ("--solo", "--check", "grep -qi hello out.txt", "-w", str(workspace), "--json")
    end = ended_as_its_check_says(run("-m", "super_agent.cli.main", "run", task, *arguments))
    assert [used["client"] for used in end["usage"]] == ["open-interpreter"]


def test_up_makes_an_alias_once_and_says_what_it_did(run: Run) -> None:
    command = ("-m", "super_agent.cli.main", "up", "--model", "live-alias", "--from", TINY.base, "--context", "2048")
    first, second = run(*command), run(*command)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert (
        f"made live-alias from {TINY.base} with num_ctx 2048" in first.stdout or "live-alias is there" in first.stdout
    )
    assert "live-alias is there, context 2048 baked in" in second.stdout
    assert "live-alias:latest is loaded" in second.stdout


def test_up_leaves_a_model_alone_that_it_did_not_make(run: Run) -> None:
    done = run("-m", "super_agent.cli.main", "up", "--model", TINY.base, "--context", "2048")
    assert done.returncode == 2
    assert "was not made by super-agent" in done.stderr


def test_verify_passes_and_the_script_works_outside_the_environment(run: Run, environment: dict[str, str]) -> None:
    run("-m", "super_agent.cli.main", "up")
    done = subprocess.run(
        ["/usr/bin/env", "python3", "scripts/verify_same_model_instance.py", "--json"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert [(c["name"], c["status"]) for c in checks[:5]] == [
        (name, "passed") for name in ("server", "model", "loaded", "url", "name")
    ]


def test_ps_counts_both_clients_of_a_run_while_it_lasts(
    live_ollama: LiveOllama, run: Run, environment: dict[str, str], workspace: Path
) -> None:
    arguments = ["run", "Write a long story about a fox into fox.txt.", "-w", str(workspace)]
    with subprocess.Popen(
        [sys.executable, "-m", "super_agent.cli.main", *arguments],
        env=environment,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as running:
        deadline = time.monotonic() + 60
        seen = 0
        while seen != 2 and time.monotonic() < deadline:
            models = json.loads(run("-m", "super_agent.cli.main", "ps", "--json").stdout)["models"]
            seen = sum(len(m["clients"]) for m in models if m["name"] == f"{live_ollama.model}:latest")
        running.kill()
    assert seen == 2
    models = json.loads(run("-m", "super_agent.cli.main", "ps", "--json").stdout)["models"]
    assert [m["clients"] for m in models if m["name"] == f"{live_ollama.model}:latest"] == [[]]


def test_ps_shows_a_foreign_connection_as_connected_with_an_unknown_model(live_ollama: LiveOllama, run: Run) -> None:
    run("-m", "super_agent.cli.main", "up")
    address = urlsplit(live_ollama.base_url)
    with socket.create_connection((address.hostname, address.port)):
        seen = run("-m", "super_agent.cli.main", "ps", "--clients").stdout
    assert "0 (+1 connected, model unknown)" in seen
    assert "connected, model unknown: " in seen
