"""The check's own part of what a run does; whole runs with it are in tests/cli."""

import sys
import threading
from pathlib import Path

import pytest

from interpreter import check as check_module
from interpreter.check import Check
from interpreter.code_output import OutputRecorder
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import Event

FOREVER = "sleep 600"


def check_of(tmp_path: Path, command: str) -> Check:
    events: list[Event] = []
    (tmp_path / "work").mkdir()
    policy = SandboxPolicy(tmp_path / "work", Path(sys.executable))
    return Check(command, policy, OutputRecorder(events.append, tmp_path, 4096), timeout_s=600)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return check_of(tmp_path, FOREVER)


def test_an_interrupt_ends_a_check_that_runs(check: Check) -> None:
    cancellation = Cancellation()
    timer = threading.Timer(0.5, cancellation.cancel)
    timer.start()
    result = check.run("after", cancellation)
    timer.join()
    assert (result.outcome.kind, result.passed) == ("interrupted", False)


def test_an_interrupt_that_came_just_before_the_check_is_not_lost(check: Check) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    assert check.run("after", cancellation).outcome.kind == "interrupted"


def test_a_check_that_is_silent_far_longer_than_it_ever_took_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_module, "MAX_SILENCE_S", 0.5)
    monkeypatch.setattr(check_module, "MAX_SLOWDOWN", 5.0)
    check = check_of(tmp_path, "[ ! -e loop ] || sleep 600; [ ! -e slow ] || sleep 1; echo done")
    (tmp_path / "work" / "slow").touch()
    assert check.run("before").passed, "how long it takes was not known"
    assert check.run("after").passed, "it took as long before"
    (tmp_path / "work" / "loop").touch()
    result = check.run("after")
    assert (result.outcome.kind, result.passed, result.score) == ("timed_out", False, (0, 0))
    assert 2 <= result.outcome.duration_s < 60
