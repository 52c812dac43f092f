"""Every name of a workspace is found: however deep it lies, whatever bytes it has, with few descriptors."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from super_agent.core.errors import PathRefused
from super_agent.core.files.folders import OPEN_LEVELS
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.restore import apply, plan
from super_agent.core.snapshots.snapshots import Snapshots


def deepen(root: Path, levels: int) -> str:
    """A file below so many folders, and one beside each tenth of them; returns the deep one's path."""
    above = os.open(root, os.O_RDONLY)
    for level in range(levels):
        os.mkdir("d", dir_fd=above)
        if level % 10 == 0:
            os.mkdir("e", dir_fd=above)
            os.close(os.open("e/x", os.O_CREAT | os.O_WRONLY, dir_fd=above))
        below = os.open("d", os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=above))
    os.close(above)
    return "d/" * levels + "leaf"


@contextmanager
def few_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + OPEN_LEVELS + 10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "w"
    folder.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)  # Python's own way is recursive, and pytest's cleaning with it


def test_a_file_below_1200_folders_is_found_kept_and_brought_back(root: Path, tmp_path: Path) -> None:
    leaf = deepen(root, 1200)
    with Workspace(root) as workspace, Snapshots.open(tmp_path / "state", workspace) as snapshots:
        with few_descriptors():
            found = workspace.facts()
        assert len(found) == 121
        assert leaf in found
        first = snapshots.take("s", "start").commit
        workspace.put_entry(leaf, b"new", executable=False)
        saved = snapshots.take("s", "1").commit
        apply(snapshots, plan(snapshots, first, newest=saved), first, saved)
        assert workspace.read_entry(leaf, 10) == b""
        workspace.remove_entry(leaf)


def test_what_is_too_deep_is_left_out_and_said(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("super_agent.core.files.folders.MAX_DEPTH", 5)
    deepen(root, 7)
    with Workspace(root) as workspace, Snapshots.open(tmp_path / "state", workspace) as snapshots:
        assert [*workspace.files()] == ["e/x"]
        taken = snapshots.take("s", "start")
        assert taken.left_out == ("d/d/d/d/d",)
        assert plan(snapshots, taken.commit).steps == ()


def test_a_folder_that_is_moved_while_it_is_read_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("super_agent.core.files.folders.OPEN_LEVELS", 1)
    root, away = tmp_path / "w", tmp_path / "away"
    (root / "a" / "b" / "c").mkdir(parents=True)
    away.mkdir()
    (away / "secret").write_text("s")
    scandir = os.scandir
    seen: list[int] = []

    def moving(fd: int) -> object:
        seen.append(fd)
        if len(seen) == 4:  # in c, with b shut
            os.rename(root / "a" / "b" / "c", away / "c")
        return scandir(fd)

    monkeypatch.setattr(os, "scandir", moving)
    with Workspace(root) as workspace, pytest.raises(PathRefused, match="moved while it was read"):
        workspace.facts()


def test_names_that_are_no_utf8_are_read_and_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    with Workspace(tmp_path) as workspace:
        (name,) = workspace.files()
        assert workspace.read_bytes(name) == b"x"
        workspace.write_bytes(name, b"y")
        assert workspace.read_bytes(name) == b"y"


def test_settings_of_editors_are_seen_and_folders_of_tools_are_not_written(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        for path in (".vscode/settings.json", ".idea/x.xml", "src/a.py"):
            workspace.write_bytes(path, b"{}")
        assert [*workspace.files()] == [".idea/x.xml", ".vscode/settings.json", "src/a.py"]
        for path in ("node_modules/m/index.js", "src/__pycache__/a.pyc", ".venv/bin/python"):
            with pytest.raises(PathRefused, match="a folder that tools make, which is not to be written"):
                workspace.write_bytes(path, b"x")
        assert [p.name for p in sorted(tmp_path.iterdir())] == [".idea", ".vscode", "src"]


def test_an_edited_file_keeps_its_owner_group_mode_and_attributes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    file.chmod(0o640)
    with suppress(OSError):  # a file system without them; then the test says less
        os.setxattr(file, "user.note", b"kept")
    before = os.stat(file)
    attributes = {name: os.getxattr(file, name) for name in os.listxattr(file)}
    with Workspace(tmp_path) as workspace:
        workspace.write_bytes("a", b"new")
        workspace.put_entry("a", b"newer", executable=False, mode=0o640)
    after = os.stat(file)
    assert file.read_bytes() == b"newer"
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert {name: os.getxattr(file, name) for name in os.listxattr(file)} == attributes
