"""A step that fails leaves none of the processes that it started, daemons too; one that goes well leaves its own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from super_agent.core.orphans import nothing_left_on_failure

DAEMON = 'setsid sh -c \'echo $$ >"$1"; sleep 60; :\' daemon "$1" & '
"""Two processes, of which one waits for the other; whoever starts them has ended before."""


def daemon(pid_file: Path) -> psutil.Process:
    """Started by a shell that has ended."""
    subprocess.run(["sh", "-c", DAEMON, "sh", pid_file], check=True, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
        assert time.monotonic() < until, "it did not start"
        time.sleep(0.01)
    return psutil.Process(int(pid_file.read_text()))


@pytest.fixture
def earlier() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_failure_ends_what_was_started_and_nothing_that_was_there(
    earlier: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    started: list[psutil.Process] = []

    def fail() -> None:
        started.append(daemon(tmp_path / "pid"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), nothing_left_on_failure():
        fail()
    assert [each for each in started if each.is_running()] == []
    assert psutil.Process().children(recursive=True) == [psutil.Process(earlier.pid)]
    assert earlier.poll() is None


def test_what_goes_well_is_let_run(tmp_path: Path) -> None:
    with nothing_left_on_failure():
        found = daemon(tmp_path / "pid")
    try:
        assert found.is_running()
    finally:
        for process in (*found.children(), found):
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs([found], timeout=5)
