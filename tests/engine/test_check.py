"""The check's own part of what a run does; whole runs with it are in tests/cli."""

import sys
import threading
from pathlib import Path

import pytest

from interpreter.check import Check
from interpreter.code_output import OutputRecorder
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import Event

FOREVER = "sleep 600"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    events: list[Event] = []
    (tmp_path / "work").mkdir()
    policy = SandboxPolicy(tmp_path / "work", Path(sys.executable))
    return Check(FOREVER, policy, OutputRecorder(events.append, tmp_path, 4096), timeout_s=600)


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
