"""What the opening message shows of the workspace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.files.workspace import Workspace
from super_agent.team.listing import FEW_FILES, describe, suspects_in


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Workspace(folder) as opened:
        yield opened


def put(workspace: Workspace, **files: str) -> None:
    for name, text in files.items():
        workspace.write_bytes(f"{name}.py", text.encode())


def shown(text: str) -> list[str]:
    return [line.removesuffix(":") for line in text.splitlines() if line.endswith(".py:")]


def test_what_the_task_names_comes_first_then_what_the_check_and_its_output_do(workspace: Workspace) -> None:
    put(workspace, a="A = 1", b="B = 1", c="C = 1", **{f"more{n}": "X = 1" for n in range(FEW_FILES)})
    output = "python -m pytest -q b.py\nc.py:12: AssertionError"
    assert shown(describe(workspace, "Mend c.py", 3000, output)) == ["c.py", "b.py"]


def test_a_small_workspace_is_shown_whole_as_long_as_it_fits(workspace: Workspace) -> None:
    put(workspace, a="A = 1", big="x = 1\n" * 200, z="Z = 1")
    workspace.write_bytes("photo.jpg", b"\xff\xd8")
    assert shown(describe(workspace, "Mend z.py", 3000)) == ["z.py", "a.py", "big.py"]
    assert shown(describe(workspace, "Mend z.py", 1000)) == ["z.py", "a.py"]


def test_ignored_files_of_a_larger_workspace_are_neither_listed_nor_counted(workspace: Workspace) -> None:
    put(workspace, **{"src/a": "A = 1", "src/b": "B = 1"}, **{f"build/b{n}": "X = 1" for n in range(200)})
    workspace.write_bytes(".gitignore", b"build/\n")
    text = describe(workspace, "Mend it", 3000, max_map_chars=1500)
    assert text.startswith("The workspace holds:\n.gitignore\nsrc/a.py\nsrc/b.py\n\n")
    assert shown(text) == ["src/a.py", "src/b.py"]
    assert shown(describe(workspace, "Mend build/b7.py as a.py", 3000)) == ["src/a.py", "build/b7.py", "src/b.py"]
    assert describe(workspace, "Mend b.py", 3000).count("src/b.py:\n") == 1
    put(workspace, **{"src/a": "def first():\n    return 1\n"})
    assert list(suspects_in(workspace, "Mend it", "E   first() failed")) == ["src/a.py", "src/b.py"]
