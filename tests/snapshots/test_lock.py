"""A process that holds the snapshots, suspended or not, is named; an orphaned git still holds them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.errors import SnapshotFailed
from super_agent.core.snapshots import lock as lock_module
from super_agent.core.snapshots.lock import locked
from super_agent.core.snapshots.snapshots import Snapshots, repository

HOLD = (
    "import fcntl, sys\nf = open(sys.argv[1], 'w')\nfcntl.flock(f, fcntl.LOCK_EX)\nprint('held', flush=True)\ninput()"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_who_holds_the_snapshots_is_named_and_not_waited_for_for_ever(
    holder: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "TELL_AFTER_S", 0.05)
    told: list[str] = []
    fd = os.open(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(SnapshotFailed, match=f"held by pid {holder.pid}"), locked(fd, told.append, 0.3):
        pass
    os.close(fd)
    assert told == [f"waiting for the workspace's snapshots, which pid {holder.pid} works on"]


def test_every_command_of_git_holds_the_lock(root: Path, tmp_path: Path, snapshots: Snapshots) -> None:
    """A `git gc` whose parent was killed must not work beside the next process."""
    hook = tmp_path / "git"
    hook.write_text("#!/bin/sh\nls -l /proc/self/fd\n")
    hook.chmod(0o755)
    snapshots.git._program = str(hook)
    lock = repository(tmp_path / "state", root).with_suffix(".lock")
    assert str(lock).encode() in snapshots.git.run("gc")


@pytest.mark.parametrize(("kills", "printed"), [(1, b"done\n"), (2, None)])
def test_a_git_that_a_signal_ended_is_repeated_once(
    tmp_path: Path, snapshots: Snapshots, kills: int, printed: bytes | None
) -> None:
    killed = tmp_path / "git"
    killed.write_text(f'#!/bin/sh\necho >>"$0.runs"\n[ $(wc -l <"$0.runs") -gt {kills} ] || kill -9 $$\necho done\n')
    killed.chmod(0o755)
    snapshots.git._program = str(killed)
    if printed is None:
        with pytest.raises(SnapshotFailed, match="git gc exits with -9"):
            snapshots.git.run("gc")
    else:
        assert snapshots.git.run("gc") == printed
