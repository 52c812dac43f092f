"""A systemd scope around the sandbox: its command line, and the probe that believes only the kernel."""

import sys
from pathlib import Path

import pytest

from interpreter.sandbox.bubblewrap import cgroup
from interpreter.sandbox.bubblewrap.arguments import confine
from interpreter.sandbox.protocol import SandboxPolicy


@pytest.mark.parametrize(("uid", "whose"), [(0, []), (1000, ["--user"])])
def test_a_scope_limits_memory_swap_and_tasks_and_hands_on_no_environment(uid: int, whose: list[str]) -> None:
    made = cgroup.scope("/usr/bin/systemd-run", uid, 4 * 1024**3, 528)
    assert list(made.argv) == [
        "/usr/bin/systemd-run",
        *whose,
        "--scope",
        "--quiet",
        "--collect",
        "--property=MemoryMax=4294967296",
        "--property=MemorySwapMax=0",
        "--property=TasksMax=528",
        "--",
        "/usr/bin/env",
        "-i",
    ]
    assert made.environment == ({} if uid == 0 else {"XDG_RUNTIME_DIR": "/run/user/1000"})


@pytest.mark.parametrize(
    ("script", "held"),
    [
        ("echo 268435456; echo 64", True),
        ("echo max; echo max", False),
        ("exit 1", False),
        ("echo 268435456; echo 64; exit 1", False),
    ],
)
def test_only_limits_that_the_kernel_shows_count(
    tmp_path: Path, policy: SandboxPolicy, monkeypatch: pytest.MonkeyPatch, script: str, held: bool
) -> None:
    program = tmp_path / "systemd-run"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(cgroup, "RUNNING", tmp_path)
    assert bool(cgroup.scope_for(policy).argv) == held


def test_without_systemd_the_command_line_is_bubblewraps_alone(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "RUNNING", tmp_path / "absent")
    confined = confine(SandboxPolicy(workspace, Path(sys.executable)), ["/bin/true"])
    confined.release()
    assert confined.argv[0].endswith("/bwrap")
    assert confined.environment == {}
