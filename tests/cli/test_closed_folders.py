"""Folders that permissions close, for somebody whom permissions hold: nothing in them is touched, and one line says so.

Root is held too once it has given up the two capabilities that let it in everywhere (capabilities(7)).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.adding import CHECK, PLAN, RIGHT, events, where
from tests.cli.conftest import CHECKOUT, Done, environment
from tests.scripted_ollama import ScriptedOllama

HELD = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")


@pytest.fixture
def closed(workspace: Path) -> Iterator[Path]:
    """A folder that nobody may enter, with a file in it."""
    folder = workspace / "closed"
    folder.mkdir()
    (folder / "secret.txt").write_text("kept\n")
    folder.chmod(0)
    yield folder
    for path in (workspace, folder):
        path.chmod(0o755)
    for path in workspace.glob("made"):
        path.chmod(0o755)


def held(tmp_path: Path, *arguments: str) -> Done:
    """`super-agent ARGUMENTS`, held by permissions whoever runs the tests."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root is held by permissions only with setpriv (util-linux)")
    words = [*(HELD if os.geteuid() == 0 else ()), sys.executable, "-m", "super_agent.cli.main", *arguments]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, cwd=CHECKOUT, env=environment(tmp_path), input=""
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_closed_folder_is_said_once_and_stays_as_it_is(tmp_path: Path, workspace: Path, closed: Path) -> None:
    inside = "```python closed/x.py\nX = 1\n```"
    with ScriptedOllama(autogen=[PLAN, inside, RIGHT]) as server:
        done = held(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        first = "\n".join(text for _, text in server.chats[0].prompt)
    assert done.code == 0, done.out + done.err
    seen = events(done.out)
    assert [e["text"] for e in seen if e["type"] == "notice" and "closed" in e["text"]] == [
        "not in snapshots, as above 32 MiB (all together 1 GiB), too deep or closed: closed"
    ]
    assert [(e["path"], e["reason"]) for e in seen if e["type"] == "edit_refused"] == [
        ("closed/x.py", "closed/x.py cannot be used: Permission denied")
    ]
    assert "secret" not in first
    assert seen[-1]["files_changed"] == ["add.py"]

    at = ("--workspace", str(workspace))
    differs = held(tmp_path, "diff", "--json", *at)
    assert (differs.code, json.loads(differs.out)["created"]) == (0, ["add.py"])
    told = held(tmp_path, "diff", "--stat", *at)
    assert "closed" in told.err
    undone = held(tmp_path, "undo", "--yes", *at)
    assert undone.code == 0, undone.out + undone.err
    assert "Traceback" not in done.err + told.err + undone.err
    assert [p.name for p in workspace.iterdir()] == ["closed"]
    closed.chmod(0o700)
    assert (closed / "secret.txt").read_text() == "kept\n"


def test_a_folder_that_code_closes_during_a_run_stays_and_undo_says_so(
    tmp_path: Path, workspace: Path, closed: Path
) -> None:
    code = "import os\nos.mkdir('made')\nopen('made/x', 'w').write('x')\nopen('y', 'w').write('y')\nos.chmod('made', 0)"
    with ScriptedOllama(executor=[f"```python\n{code}\n```", "Done."]) as server:
        done = held(tmp_path, "exec", "Make it", *where(server, workspace), "--json")
    assert done.code == 0, done.out + done.err
    assert events(done.out)[-1]["files_changed"] == ["y"]
    undone = held(tmp_path, "undo", "--yes", "--workspace", str(workspace))
    assert undone.code == 0, undone.out + undone.err
    assert "not reversible" in undone.out + undone.err
    assert sorted(p.name for p in workspace.iterdir()) == ["closed", "made"]


@pytest.mark.parametrize(("mode", "said"), [(0, "is not readable"), (0o500, "cannot be written")])
def test_a_workspace_that_is_closed_itself_is_refused_with_one_line(
    tmp_path: Path, workspace: Path, closed: Path, mode: int, said: str
) -> None:
    workspace.chmod(mode)
    with ScriptedOllama() as server:
        done = held(tmp_path, "run", "Write add.py", *where(server, workspace))
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
