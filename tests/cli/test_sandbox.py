"""`super-agent sandbox`: one command that says and shows what model-written code can do."""

import json
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
