"""What a session changed is shown and taken back; what others changed since is not touched without a word."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from super_agent.cli.commands.diff import coloured
from super_agent.core.events import RunEnded, RunStarted, Stamped
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.state import Heartbeat, SessionFolder
from super_agent.core.store.store import Store
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama

BEFORE = {"a.py": "a = 1\n", "b.py": "b = 1\n", "docs/c.txt": "c\n"}
AFTER = {"a.py": "a = 3\n", "b.py": "b = 1\n", "new/d.py": "d = 2\n"}
PATCH = """diff --git a/a.py b/a.py
index 1337a53..367805c 100644
--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-a = 1
+a = 3
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    lay(root, BEFORE)
    return root


@pytest.fixture
def command(super_agent: SuperAgent, workspace: Path) -> SuperAgent:
    """A command on the workspace of the test."""

    def run(name: str, *arguments: str, **environ: str):  # type: ignore[no-untyped-def]
        return super_agent(name, *arguments, "--workspace", str(workspace), **environ)

    return run


def lay(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def files(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture
def session(super_agent: SuperAgent, tmp_path: Path, workspace: Path) -> Callable[..., str]:
    """A session of two turns: the first writes a.py and new/d.py, the second a.py again and deletes docs/c.txt."""
    state = tmp_path / "home" / "state"

    def make(name: str = "20261123-100000-aaaa", *, killed: bool = False) -> str:
        facts = RunStarted("task", "team", str(workspace), "m", "http://127.0.0.1:1", None, "none", {})
        with (
            Store.open(state) as store,
            store.begin(name, facts) as recorder,
            Workspace(workspace) as opened,
            Snapshots.open(state, opened) as snapshots,
        ):
            snapshots.take(name, "start")
            snapshots.take(name, "0")
            lay(workspace, {"a.py": "a = 2\n", "new/d.py": "d = 2\n"})
            snapshots.take(name, "1")
            (workspace / "docs" / "c.txt").unlink(missing_ok=True)
            lay(workspace, {"a.py": "a = 3\n"})
            if not killed:
                snapshots.take(name, "2")
                snapshots.take(name, "end")
                recorder(Stamped(name, 2, 1, 0.0, ended()))
            Heartbeat(SessionFolder(state, name)).close()
        if (workspace / "docs").is_dir() and not any((workspace / "docs").iterdir()):
            (workspace / "docs").rmdir()
        return name

    return make


def ended() -> RunEnded:
    return RunEnded("check_passed", 0, "the check passes", 2, 1.0, (), (), {})


def test_the_whole_session_or_one_turn_is_shown(command: SuperAgent, session: Callable[..., str]) -> None:
    name = session()
    whole = command("diff")
    assert (whole.code, whole.err) == (0, "")
    assert PATCH in whole.out
    assert "b.py" not in whole.out
    assert "deleted file mode 100644" in whole.out
    second = command("diff", name[:12], "--turn", "2")
    assert "-a = 2\n+a = 3\n" in second.out
    assert "d.py" not in second.out
    assert command("diff", "--stat").out.splitlines()[-1] == " 3 files changed, 2 insertions(+), 2 deletions(-)"
    assert json.loads(command("diff", "--json", "--turn", "1").out) == {
        "version": 1,
        "session": name,
        "turn": 1,
        "created": ["new/d.py"],
        "modified": ["a.py"],
        "deleted": [],
    }
    wrong = command("diff", "--turn", "3")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == (f"super-agent: session {name} has no snapshots around turn 3. It has turns 0 to 2\n")


def test_a_diff_is_a_patch_that_git_takes(
    command: SuperAgent, session: Callable[..., str], workspace: Path, tmp_path: Path
) -> None:
    session()
    other = tmp_path / "other"
    lay(other, BEFORE)
    patch = command("diff").out
    below_no_repository = {**os.environ, "GIT_DIR": os.devnull}
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=other, check=True, env=below_no_repository)
    assert files(other) == files(workspace) == AFTER


def test_undo_shows_does_and_can_be_taken_back(
    command: SuperAgent, session: Callable[..., str], workspace: Path
) -> None:
    name = session()
    refused = command("undo")
    assert refused.code == 2
    assert (
        refused.err
        == "super-agent: nobody was asked whether 3 files may be changed. Say --yes to do it without asking\n"
    )
    assert files(workspace) == AFTER

    done = command("undo", "--yes")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"session {name}: back to before its first change\n"
        "  restore     a.py\n"
        "  bring back  docs/c.txt\n"
        "  delete      new/d.py\n"
        f"done: 3 files. Taken back by: super-agent undo {name} --redo\n"
    )
    assert files(workspace) == BEFORE
    assert not (workspace / "new").exists()
    assert command("undo", "--yes").out.splitlines()[-1] == "nothing to change"

    redone = command("undo", "--redo", "--yes")
    assert (redone.code, redone.err) == (0, "")
    assert files(workspace) == AFTER
    assert command("undo", "--redo", "--yes").code == 2
    assert PATCH in command("diff").out, "a session's diff stays what the session did"
    assert command("undo", "--yes", "--json").code == 0
    assert files(workspace) == BEFORE


def test_undo_to_a_turn_or_of_one_file(command: SuperAgent, session: Callable[..., str], workspace: Path) -> None:
    session()
    assert command("undo", "--to-turn", "1", "--yes").code == 0
    assert files(workspace) == {**BEFORE, "a.py": "a = 2\n", "new/d.py": "d = 2\n"}
    assert command("undo", "--file", "new", "--yes").code == 0
    assert files(workspace) == {**BEFORE, "a.py": "a = 2\n"}
    for path, complaint in (("b.py", "nothing to take back in b.py"), ("../x", "lies outside of the workspace")):
        wrong = command("undo", "--file", path, "--yes")
        assert wrong.code == 2
        assert complaint in wrong.err
    wrong = command("undo", "--to-turn", "7", "--yes")
    assert (wrong.code, "It has turns 0 to 2" in wrong.err) == (2, True)


def test_what_somebody_changed_since_stays(command: SuperAgent, session: Callable[..., str], workspace: Path) -> None:
    session()
    lay(workspace, {"a.py": "mine\n", "b.py": "mine too\n", "e.py": "new of mine\n"})
    done = command("undo", "--yes")
    assert "changed since by somebody else, which stays; --force takes it back too:\n  restore     a.py\n" in done.out
    mine = {"a.py": "mine\n", "b.py": "mine too\n", "e.py": "new of mine\n"}
    assert files(workspace) == {**BEFORE, **mine}
    forced = command("undo", "--yes", "--force")
    assert forced.code == 0, forced.err
    assert files(workspace) == {**BEFORE, "b.py": "mine too\n", "e.py": "new of mine\n"}
    assert command("undo", "--redo", "--yes").code == 0
    assert files(workspace) == {**BEFORE, **mine}


def test_after_a_kill_what_its_last_turn_did_is_undone_too(
    command: SuperAgent, session: Callable[..., str], workspace: Path, tmp_path: Path
) -> None:
    name = session(killed=True)
    alive = tmp_path / "home" / "state" / "sessions" / name / "alive"
    os.utime(alive, (time.time() - 1, time.time() - 1))
    time.sleep(0.05)
    lay(workspace, {"b.py": "mine\n"})
    done = command("undo", "--yes")
    assert done.code == 0, done.err
    assert files(workspace)["a.py"] == "a = 1\n"
    assert "new/d.py" not in files(workspace)
    assert files(workspace)["docs/c.txt"] == "c\n"


def test_a_session_that_is_held_is_not_undone(
    command: SuperAgent, session: Callable[..., str], workspace: Path, tmp_path: Path
) -> None:
    name = session()
    with Store.open(tmp_path / "home" / "state") as store, store.hold(name):
        done = command("undo", "--yes")
    assert done.code == 2
    assert f"session {name} is held by pid {os.getpid()}" in done.err
    assert files(workspace) == AFTER


def test_a_removed_session_leaves_no_snapshots(
    super_agent: SuperAgent, session: Callable[..., str], workspace: Path, tmp_path: Path
) -> None:
    names = [session(), session("20261123-110000-bbbb"), session("20261123-120000-cccc")]
    assert super_agent("sessions", "rm", names[0]).out == f"removed {names[0]}\n"
    pruned = super_agent("sessions", "prune", "--keep", "1", "--workspace", str(workspace))
    assert (pruned.code, pruned.err) == (0, "")
    with Workspace(workspace) as opened, Snapshots.open(tmp_path / "home" / "state", opened) as snapshots:
        assert [bool(snapshots.names(name)) for name in names] == [False, False, True]
    assert super_agent("diff", "--workspace", str(workspace)).code == 0


def test_a_real_run_without_a_git_repository_or_a_sandbox_is_undone(command: SuperAgent, workspace: Path) -> None:
    right = "```python add.py\ndef add(a, b):\n    return a + b\n```"
    check = "python -c 'from add import add; assert add(2, 3) == 5'"
    with ScriptedOllama(autogen=["1. Write add.py.", right]) as server:
        where = ("--base-url", server.base_url, "--model", server.model, "--sandbox", "none")
        ran = command("run", "Write add.py", "--check", check, "--json", *where)
    assert ran.code == 0, ran.out[-500:] + ran.err
    assert next(json.loads(line)["name"] for line in ran.out.splitlines() if "snapshot_taken" in line) == "start"
    assert "+def add(a, b):" in command("diff", "--turn", "1").out
    assert command("undo", "--yes").code == 0
    assert "add.py" not in files(workspace)
    with ScriptedOllama(autogen=["1. Write add.py.", right]) as server:
        where = ("--base-url", server.base_url, "--model", server.model, "--sandbox", "none")
        assert command("run", "Write add.py", "--check", check, "--no-snapshots", *where).code == 0
    none = command("undo", "--yes")
    assert none.code == 2
    assert "has no snapshots of its files" in none.err


def test_a_diff_on_a_terminal_is_coloured_and_harmless() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- old\n+\x1b]0;title\x07new\u202e\n kept\n"
    assert coloured(text) == (
        "\x1b[1mdiff --git a/x b/x\x1b[m\n\x1b[1m--- a/x\x1b[m\n\x1b[1m+++ b/x\x1b[m\n\x1b[36m@@ -1 +1 @@\x1b[m\n"
        "\x1b[31m--- old\x1b[m\n\x1b[32m+new\ufffd\x1b[m\n kept\n"
    )
