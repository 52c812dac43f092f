"""A store that cannot be used ends a run before it begins; one that fails later ends it with nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from super_agent.core.store.store import Store
from tests.cli.adding import where
from tests.cli.conftest import CHECKOUT, Done, SuperAgent
from tests.cli.test_bad_input import one_line
from tests.scripted_ollama import ScriptedOllama

DISK = ("--size", "2000000", "--tmpfs")
FILE = "```python a.py\nprint(1)\n```"
SAME_NEVER = "tr -dc a-z </dev/urandom | head -c 8; false"
"""A check that fails in another way each time, so that it is never said that nothing moves."""


def filling(state: Path, at: int) -> str:
    """A check that fills the disk of `state` when it runs for the `at`-th time."""
    return f"echo >>n; test $(wc -l <n) = {at} && cat /dev/zero >{state}/fill 2>&-; {SAME_NEVER}"


def on_a_disk(disk: tuple[str, ...], tmp_path: Path, script: str) -> Done:
    """Run a shell script where `state` lies on another disk, as bubblewrap mounts it."""
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    command = f'alias super-agent="{sys.executable} -m super_agent.cli.main"\n{script}'
    done = subprocess.run(
        ["bwrap", "--dev-bind", "/", "/", *disk, str(state), "sh", "-c", command],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME")},
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "SUPER_AGENT_STATE_DIR": str(state),
            "SUPER_AGENT_SANDBOX": "none",
            "SUPER_AGENT_APPROVE": "never",
        },
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("command", ["run", "exec"])
def test_a_damaged_store_ends_the_run_before_it_begins(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path, command: str
) -> None:
    state = tmp_path / "home" / "state"
    state.mkdir()
    (state / "sessions.db").write_bytes(b"garbage" * 1000)
    with ScriptedOllama(autogen=["1. Plan.", FILE], executor=["Fine."]) as server:
        refused = super_agent(command, "x", *where(server, workspace))
        assert server.requests == []
        unkept = super_agent(command, "x", *where(server, workspace), "--no-store", "--max-turns", "1")
    one_line(refused, 2, "sessions.db", "damaged", f"mv {state}/sessions.db", "--no-store")
    assert refused.out == ""
    assert "sessions.db" not in unkept.err
    assert (state / "sessions.db").read_bytes() == b"garbage" * 1000


def test_a_disk_that_cannot_be_written_ends_the_run_before_it_begins(workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(["never asked"]) as server:
        run = f"super-agent exec x -w {workspace} --base-url {server.base_url} --model {server.model}"
        done = on_a_disk(("--ro-bind", str(tmp_path / "state")), tmp_path, run)
        assert server.requests == []
    one_line(done, 2, str(tmp_path / "state"), "SUPER_AGENT_STATE_DIR")


def test_a_full_disk_ends_the_run_before_it_begins(workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(["never asked"]) as server:
        run = f"super-agent exec x -w {workspace} --base-url {server.base_url} --model {server.model}"
        done = on_a_disk(("--size", "8192", "--tmpfs"), tmp_path, run)
        assert server.requests == []
    one_line(done, 2, "sessions.db", "full", "Make room", "--no-store")


def test_a_disk_that_fills_up_ends_the_run_and_loses_no_stored_turn(workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(executor=["First.", "Second.", "never asked"]) as server:
        run = (
            f"super-agent run --solo x -w {workspace} --base-url {server.base_url} --model {server.model}"
            f" --check '{filling(tmp_path / 'state', 3)}' --json"
        )
        script = f"{run} >{tmp_path}/seen; code=$?; super-agent show --json -w {workspace} >{tmp_path}/kept; exit $code"
        done = on_a_disk(DISK, tmp_path, script)
        assert len(server.chats) == 2
    one_line(done, 1, "sessions.db", "full", "Make room")
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    kept = [json.loads(line) for line in (tmp_path / "kept").read_text().splitlines()]
    assert (seen[-1]["type"], seen[-1]["reason"], seen[-1]["turns"]) == ("run_ended", "error", 2)
    whole = [event for event in seen if event["turn"] < 2 and not event["type"].endswith("streamed")]
    assert [event for event in kept if not event["type"].endswith("streamed")] == whole
    assert whole[-1]["type"] == "snapshot_taken"


def test_a_team_ends_with_one_line_when_the_store_fails(workspace: Path, tmp_path: Path) -> None:
    """AutoGen would make another error of it."""
    with ScriptedOllama(autogen=["1. Plan.", FILE, "never asked"]) as server:
        run = f"super-agent run x -w {workspace} --base-url {server.base_url} --model {server.model}"
        done = on_a_disk(DISK, tmp_path, f"{run} --check '{filling(tmp_path / 'state', 2)}'")
        one_line(done, 1, "sessions.db", "full", "Make room")


def test_without_the_store_a_full_disk_ends_a_run_before_a_file_is_written_whose_original_is_not_kept(
    workspace: Path, tmp_path: Path
) -> None:
    (workspace / "a.py").write_text("mine")
    with ScriptedOllama(autogen=["1. Plan.", FILE, "never asked"]) as server:
        run = f"super-agent run x --no-store -w {workspace} --base-url {server.base_url} --model {server.model}"
        done = on_a_disk(DISK, tmp_path, f"{run} --check '{filling(tmp_path / 'state', 1)}'")
    one_line(done, 1, "the original of a.py", "No space left on device", "Make room")
    assert (workspace / "a.py").read_text() == "mine"


def test_long_output_on_a_full_disk_is_told_and_the_run_goes_on(workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(executor=["```shell\nseq 100000\n```", "Done."], context_length=16384) as server:
        run = f"super-agent exec x --no-store -w {workspace} --base-url {server.base_url} --model {server.model}"
        done = on_a_disk(("--size", "200000", "--tmpfs"), tmp_path, run)
    assert (done.code, done.err) == (0, "")
    assert "⚠ the whole output could not be kept" in done.out
    assert "No space left on device" in done.out


def test_a_second_run_in_the_same_store_does_not_wait_for_the_first(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(["One.", "Two."]) as server, Store.open(workspace.parent / "home" / "state") as store:
        assert super_agent("exec", "x", *where(server, workspace)).code == 0
        assert super_agent("exec", "y", *where(server, workspace)).code == 0
        assert [row.task for row in store.sessions(workspace)] == ["y", "x"]
