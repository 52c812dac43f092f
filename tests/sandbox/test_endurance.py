"""Two hundred executions in a row with kills at random moments: none is lost, nothing is left behind."""

import os
import random
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from interpreter.sandbox.watchdog import descendants

RUNS = 200
KILLED_SHARE = 0.3
END_TIMEOUT_S = 2.0


def _left(before: set[int]) -> set[int]:
    deadline = time.monotonic() + END_TIMEOUT_S
    while (left := {task.pid for task in descendants(os.getpid())} - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_two_hundred_executions_with_random_kills_lose_none_and_leak_nothing(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    processes = {task.pid for task in descendants(os.getpid())}
    descriptors, threads = _open_descriptors(), threading.active_count()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    runners = {"python": PythonRunner(policy), "shell": ShellRunner(policy)}
    for number in range(RUNS):
        language = chance.choice(sorted(runners))
        runner, said = runners[language], bytearray()
        if chance.random() < KILLED_SHARE:
            runner.start()
            assert runner.pid is not None
            timer = threading.Timer(chance.random() * 0.02, os.kill, (runner.pid, signal.SIGKILL))
            timer.start()
            outcome = runner.run("import time; time.sleep(1)" if language == "python" else "sleep 1", said.extend, 20)
            timer.join()
            # A kill that came before the run began costs it nothing but the state, and that is told.
            assert outcome.kind in ("died", "finished")
            assert outcome.state_lost, (number, outcome)
        else:
            outcome = runner.run(f"print({number})" if language == "python" else f"echo {number}", said.extend, 20)
            assert (outcome.kind, bytes(said)) == ("finished", f"{number}\n".encode()), (number, outcome)
    for runner in runners.values():
        runner.close()
    assert _left(processes) == set()
    assert _open_descriptors() == descriptors
    assert threading.active_count() == threads
    assert list(temporary.iterdir()) == []
