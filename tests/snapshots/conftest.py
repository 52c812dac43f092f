"""A workspace with snapshots, and what the test sees of its files."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.restore import apply, plan
from super_agent.core.snapshots.snapshots import Snapshots

Seen = dict[bytes, tuple[str, bytes]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def snapshots(root: Path, tmp_path: Path) -> Iterator[Snapshots]:
    with Workspace(root) as workspace, Snapshots.open(tmp_path / "state", workspace) as opened:
        yield opened


def seen(root: Path) -> Seen:
    """Of each file and link: its kind with its permissions, and its content or target."""
    found: Seen = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in (*files, *(f for f in folders if os.path.islink(os.path.join(folder, f)))):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                found[os.path.relpath(path, os.fsencode(root))] = ("link", os.readlink(path))
            else:
                mode = f"{stat.S_IMODE(info.st_mode):o}"
                found[os.path.relpath(path, os.fsencode(root))] = (mode, Path(os.fsdecode(path)).read_bytes())
    return found


def back_to(snapshots: Snapshots, commit: str) -> None:
    """Restore that snapshot."""
    saved = snapshots.take("s", "before").commit
    apply(snapshots, plan(snapshots, commit, newest=saved), commit, saved)
