"""Code makes files with any name; a run with them ends as any other, and every command tells them."""

import json
import os
import subprocess
from pathlib import Path

from super_agent.core.files.workspace import Workspace
from tests.cli.adding import events, where
from tests.cli.conftest import SuperAgent
from tests.core.test_walk import deepen
from tests.scripted_ollama import ScriptedOllama

MAKE = "```python\nopen(b'caf\\xe9.txt', 'wb').write(b'x')\nopen('done.txt', 'w').write('ok')\n```"
NAME = b"caf\xe9.txt"


def test_a_name_that_is_no_utf8_survives_the_run_and_every_command(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    team = ["1. Make the files.", "```run\nWrite the two files with Python.\n```"]
    with ScriptedOllama(autogen=[*team, *team], executor=[MAKE, "Both are there."]) as server:
        done = super_agent("run", "Unpack it", *where(server, workspace), "--check", "test -f done.txt", "--json")
    assert done.code == 0, done.out + done.err
    assert os.fsdecode(NAME) in events(done.out)[-1]["files_changed"]
    page = tmp_path / "page.html"
    at = ("--workspace", str(workspace))
    for command in (
        ("diff", "--json"), ("show",), ("show", "--json"),
        ("show", "--html", str(page)), ("sessions",), ("sessions", "--json"),
    ):  # fmt: skip
        told = super_agent(*command, *at)
        assert (told.code, told.err) == (0, ""), (command, told.err)
        if command[-1] == "--json" and command[0] == "diff":
            assert os.fsdecode(NAME) in json.loads(told.out)["created"]
    page.read_bytes().decode("utf-8")
    undone = super_agent("undo", "--yes", *at)
    assert undone.code == 0, undone.out + undone.err
    assert [p.name for p in workspace.iterdir()] == []


def test_folders_of_any_depth_end_no_run_and_no_undo(super_agent: SuperAgent, tmp_path: Path) -> None:
    root = tmp_path / "deep"
    root.mkdir()
    try:
        leaf = deepen(root, 1200)
        with ScriptedOllama(autogen=["1. Write it.", "```python hello.py\nprint(1)\n```"]) as server:
            done = super_agent("run", "Write hello.py", *where(server, root), "--check", "test -f hello.py", "--json")
        assert done.code == 0, done.out + done.err
        assert events(done.out)[-1]["files_changed"] == ["hello.py"]
        undone = super_agent("undo", "--yes", "--workspace", str(root))
        assert undone.code == 0, undone.out + undone.err
        with Workspace(root) as workspace:
            assert "hello.py" not in workspace.facts()
            assert leaf in workspace.facts()
    finally:
        subprocess.run(["rm", "-rf", root], check=True)  # Python's own way is recursive, and pytest's cleaning with it
