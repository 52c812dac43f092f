"""What the agent sees of its mounts: one that went through a link elsewhere is told from one that is in place."""

import subprocess
import sys
from pathlib import Path

import pytest

from interpreter.sandbox.container import agent

LOOK = """
import os, runpy, subprocess, sys
source, target, flip, path, *identity = sys.argv[1:]
kept = target + ".kept"
if flip == "through a link":
    os.rename(target, kept)
    os.symlink(source, target)
subprocess.run(["mount", "--bind", source, target], check=True)
if flip == "through a link":
    os.unlink(target)
    os.rename(kept, target)
runpy.run_path(path)["require_mounts"]([[target, *map(int, identity)]])
print("in place")
"""


def look(source: Path, target: Path, flip: str) -> tuple[int, str]:
    """Exit code and output of an agent whose engine mounted `source` on `target`, in a mount namespace of its own."""
    command = ["unshare", "--map-root-user", "--mount"]
    if tried := subprocess.run([*command, "true"], capture_output=True, text=True, timeout=30, check=False).stderr:
        pytest.skip(f"no mount namespace here: {tried}")
    info = target.stat()
    told = [str(source), str(target), flip, str(agent.__file__), str(info.st_dev), str(info.st_ino)]
    done = subprocess.run(
        [*command, sys.executable, "-c", LOOK, *told], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_mount_that_went_through_a_link_ends_the_container_though_the_name_is_right_again(tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "a folder \\ real"
    outside.mkdir()
    target.mkdir()
    code, said = look(outside, target, "through a link")
    assert (code, "is not what it was" in said) == (1, True), said


def test_a_mount_in_place_is_taken_and_another_folder_is_not(tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "a folder \\ real"
    outside.mkdir()
    target.mkdir()
    assert look(target, target, "in place") == (0, "in place\n")
    assert look(outside, target, "in place")[0] == 1
