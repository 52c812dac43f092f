"""A run is opened, watched, spoken to, approved and cancelled without the command line: any door can do that."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from super_agent.core.cancellation import Cancellation

CHECKOUT = Path(__file__).resolve().parents[2]
OpenDoor = Callable[[str], dict[str, Any]]


@pytest.fixture
def door(tmp_path: Path) -> OpenDoor:
    """What the second door saw, in a process of its own that does this one thing."""

    def opened(how: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.session.second_door", how, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=CHECKOUT,
            env={name: os.environ[name] for name in ("PATH", "HOME")} | {"XDG_CONFIG_HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return opened


def test_a_task_is_done_with_an_approval_and_a_typed_line_and_no_command_line(door: OpenDoor) -> None:
    seen = door("task")
    assert seen["cli"] == []
    assert (seen["exit_code"], seen["made"]) == (0, "made\n" * seen["seen"].count("ApprovalAsked"))
    assert seen["seen"][0] == "RunStarted"
    assert seen["seen"][-1] == "RunEnded"
    asked, decided = seen["seen"].index("ApprovalAsked"), seen["seen"].index("CodeDecided")
    assert asked < decided < seen["seen"].index("CodeStarted")
    assert "UserSpoke" in seen["seen"]
    assert seen["line_reached_model"]


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_a_stop_and_a_cancellation_end_the_run_as_interrupted(door: OpenDoor, how: str) -> None:
    seen = door(how)
    assert (seen["exit_code"], seen["made"], seen["seen"][-1]) == (130, "", "RunEnded")
    assert "CodeStarted" not in seen["seen"]


def test_a_conversation_needs_no_terminal(door: OpenDoor) -> None:
    seen = door("talk")
    assert (seen["exit_code"], seen["made"], seen["cli"]) == (2, "made\nmade\n", [])
    assert seen["seen"].count("TurnStarted") == 2


def test_a_cancellation_calls_everybody_once_and_whoever_comes_late_at_once() -> None:
    calls: list[str] = []
    cancellation = Cancellation()
    cancellation.on_cancel(lambda: calls.append("a"))
    forget = cancellation.on_cancel(lambda: calls.append("b"))
    forget()
    cancellation.cancel()
    cancellation.cancel()
    cancellation.on_cancel(lambda: calls.append("late"))
    assert (calls, cancellation.cancelled) == (["a", "late"], True)
