"""What is watched from outside: totals of memory, processes and disk, also while nothing runs."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.watchdog import Watchdog, descendants
from tests.sandbox.conftest import Talk

MIB = 1024 * 1024


def test_nothing_is_complained_of_while_the_totals_are_kept(policy: SandboxPolicy) -> None:
    assert Watchdog(policy).complaint(os.getpid()) == ""


def test_descendants_are_found_over_generations() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"]) as parent:
        deadline = time.monotonic() + 5
        while len(descendants(parent.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        found = descendants(parent.pid)
        assert {task.parent for task in found} == {parent.pid}
        assert len(found) == 2
        for task in found:
            os.kill(task.pid, 9)


def test_too_many_processes_are_counted(policy: SandboxPolicy) -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"]) as parent:
        deadline = time.monotonic() + 5
        while len(descendants(parent.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        complaint = Watchdog(replace(policy, max_processes=1)).complaint(parent.pid)
        for task in descendants(parent.pid):
            os.kill(task.pid, 9)
    assert complaint == "it ran 2 processes, more than 1"


def test_what_is_written_into_the_workspace_is_measured(policy: SandboxPolicy, workspace: Path) -> None:
    watchdog = Watchdog(replace(policy, max_disk_growth_bytes=8 * MIB))
    (workspace / "deep" / "er").mkdir(parents=True)
    with (workspace / "deep" / "er" / "big").open("wb") as file:
        file.write(os.urandom(10 * MIB))
        file.flush()
        os.fsync(file.fileno())
    assert watchdog.complaint(os.getpid()) == "it wrote 10 MiB, more than 8"


def test_what_others_write_to_the_disk_is_not_blamed_on_the_code(policy: SandboxPolicy, tmp_path: Path) -> None:
    watchdog = Watchdog(replace(policy, max_disk_growth_bytes=8 * MIB))
    with (tmp_path / "other").open("wb") as file:
        file.write(os.urandom(20 * MIB))
        file.flush()
        os.fsync(file.fileno())
    assert watchdog.complaint(os.getpid()) == ""


def test_a_disk_that_code_fills_ends_it_and_one_that_was_full_before_does_not(
    policy: SandboxPolicy, workspace: Path
) -> None:
    watchdog = Watchdog(replace(policy, min_free_disk_bytes=2**62))
    assert watchdog.complaint(os.getpid()) == ""
    with (workspace / "big").open("wb") as file:
        for _ in range(10):
            file.write(os.urandom(10 * MIB))
        file.flush()
        os.fsync(file.fileno())
    assert watchdog.complaint(os.getpid()).startswith("the disk has only")


def test_what_a_block_left_running_is_ended_between_two_blocks_and_told(policy: SandboxPolicy) -> None:
    runner = PythonRunner(replace(policy, max_memory_bytes=200 * MIB))
    talk = Talk(runner)
    try:
        talk(
            "import subprocess, sys\n"
            "for _ in range(3):\n"
            "    subprocess.Popen([sys.executable, '-c', 'b = bytearray(100 * 2**20); import time; time.sleep(30)'])"
        )
        time.sleep(1.5)
        told = talk("'next'")
    finally:
        runner.close()
    assert (told.output, told.outcome.state_lost) == ("'next'\n", True)
    assert "MiB of memory in all, more than 200" in told.outcome.detail


def test_a_workspace_that_is_removed_while_code_runs_is_no_crash(policy: SandboxPolicy, workspace: Path) -> None:
    watchdog = Watchdog(policy)
    workspace.rmdir()
    assert watchdog.complaint(os.getpid()) == ""
