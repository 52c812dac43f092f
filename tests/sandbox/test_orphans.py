"""A sandbox whose super-agent was killed as it started waits for ever; the next run ends it, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from interpreter.sandbox.bubblewrap.arguments import OWN_ARGUMENTS, confine
from interpreter.sandbox.bubblewrap.orphans import end_orphans
from interpreter.sandbox.bubblewrap.process import SandboxProcess
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.settings import load_settings
from super_agent.session.sandbox_policy import settle_sandbox

Left = Callable[..., psutil.Process]


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended may stay a zombie where the machine's first process does not ask for it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def becomes_true(condition: Callable[[], bool]) -> bool:
    """Whether it does within a few seconds."""
    until = time.monotonic() + 5
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.01)
    return found


def ends(process: psutil.Process) -> bool:
    """Whether it is gone, a moment later at most."""
    return becomes_true(lambda: not is_alive(process))


def group_of(pid: int) -> int:
    """The process group; 0 where it has ended."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


@pytest.fixture
def left(policy: SandboxPolicy) -> Iterator[Left]:
    """The waiting process of a bubblewrap whose reader is gone, as after a `kill -9` of super-agent at that moment."""
    found: list[psutil.Process] = []

    def leave(hostname: str | None = None) -> psutil.Process:
        reader, writer = os.pipe()
        confined = confine(policy, ["sleep", "50"], status_fd=writer)
        os.close(reader)
        argv = list(confined.argv)
        if hostname is not None:
            argv[argv.index("--hostname") + 1] = hostname
        started = subprocess.Popen(
            argv, env=confined.environment, pass_fds=(*confined.pass_fds, writer), stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        confined.release()
        os.close(writer)
        assert started.wait(10) != 0, "bubblewrap told nobody and went on"
        group = [p for p in psutil.process_iter() if group_of(p.pid) == started.pid and is_alive(p)]
        found.extend(group)
        assert len(group) == 1, "the first process of the namespace did not stay: there is nothing to end"
        return group[0]

    yield leave
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_what_a_killed_start_left_is_ended_and_a_living_sandbox_is_not(left: Left, policy: SandboxPolicy) -> None:
    living = SandboxProcess(policy, ["sleep", "50"])
    try:
        orphan = left()
        end_orphans()
        assert ends(orphan)
        assert living.exit_code() is None
        assert becomes_true(lambda: "sleep" in [p.name() for p in psutil.Process(living.pid).children(recursive=True)])
    finally:
        living.close()


def test_a_bubblewrap_of_another_program_is_left_alone(left: Left) -> None:
    assert OWN_ARGUMENTS.count("--hostname") == 1
    foreign = left(hostname="theirs")
    end_orphans()
    time.sleep(0.2)
    assert is_alive(foreign)


def test_the_next_run_ends_it(left: Left, workspace: Path) -> None:
    orphan = left()
    settings = load_settings(environ={})
    settle_sandbox(settings, workspace, Path(sys.executable), lambda _: None)
    assert ends(orphan)
