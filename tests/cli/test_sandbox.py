"""`super-agent sandbox`: one command that says and shows what model-written code can do."""

import json
import socket
from pathlib import Path

from tests.cli.conftest import SuperAgent


def test_it_explains_and_every_attempt_to_break_out_is_held(super_agent: SuperAgent, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    done = super_agent("sandbox", "-w", str(workspace), "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert len(told["attempts"]) >= 20
    assert [a["name"] for a in told["attempts"] if not a["held"]] == []
    assert any("no network" in line for line in told["holds"])
    assert list(workspace.iterdir()) == []


def test_a_command_runs_under_the_policy_and_keeps_its_exit_code(super_agent: SuperAgent, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    done = super_agent("sandbox", "-w", str(workspace), "--", "sh", "-c", 'echo "$HOME"; echo kept > file; exit 7')
    assert (done.code, done.out) == (7, "/tmp/home\n")
    assert (workspace / "file").read_text() == "kept\n"


def test_it_says_the_limits_that_the_settings_give_and_the_code_meets_them(
    super_agent: SuperAgent, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    settings = {
        "SUPER_AGENT_SANDBOX_MEMORY_MB": "300",
        "SUPER_AGENT_SANDBOX_PROCESSES": "40",
        "SUPER_AGENT_SANDBOX_DISK_MB": "77",
        "SUPER_AGENT_SANDBOX_FREE_DISK_MB": "33",
        "SUPER_AGENT_CODE_TIMEOUT_S": "9",
        "SUPER_AGENT_MAX_TIME_S": "99",
    }
    told = json.loads(super_agent("sandbox", "-w", str(workspace), "--json", **settings).out)
    text = "\n".join(told["holds"])
    for part in (
        "300 MiB of memory, 40 processes",
        "77 MiB written",
        "33 MiB of the disk",
        "9 s for one",
        "99 s for a",
    ):
        assert part in text
    limits = ("sh", "-c", "prlimit --data --nproc --output SOFT --noheadings --raw")
    done = super_agent("sandbox", "-w", str(workspace), "--", *limits, **settings)
    assert (done.code, done.out.split()) == (0, [str(300 * 1024**2), "40"])


def test_the_network_is_there_only_when_it_is_asked_for(super_agent: SuperAgent, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)"
        at = ("-w", str(workspace))
        refused = super_agent("sandbox", *at, "--", "python", "-c", connect)
        allowed = super_agent("sandbox", *at, "--network", "--", "python", "-c", connect)
    assert (refused.code, allowed.code) == (1, 0), allowed.err
    told = json.loads(super_agent("sandbox", *at, "--network", "--json").out)
    assert any("It HAS the network" in line for line in told["holds"])


def test_without_a_sandbox_it_says_that_nothing_holds_and_tries_nothing(
    super_agent: SuperAgent, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    done = super_agent("sandbox", "-w", str(workspace), "--sandbox", "none")
    assert done.code == 4
    assert "every promise is void" in done.out
    assert "You are asked before the executor's code runs: there is no sandbox" in done.out
    assert "Tried" not in done.out
