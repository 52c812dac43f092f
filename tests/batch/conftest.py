"""A batch as a user types it; its home and state lie in the test's folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, SuperAgent, super_agent
from tests.scripted_ollama import ScriptedOllama

__all__ = ["super_agent"]

CHECK = "python -c 'from add import add; assert add(2, 3) == 5'"
RIGHT = "```python add.py\ndef add(a, b):\n    return a + b\n```"
WRONG = "```python add.py\ndef add(a, b):\n    return a - b\n```"

Lines = Callable[..., Path]


def solve(request: Any) -> str:
    """Plans, writes a right file, and accepts; what the task calls hopeless stays wrong."""
    cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
    if cue.startswith("Planner"):
        return "1. Write add.py."
    if cue.startswith("Reviewer"):
        return '{"verdict": "revise", "reasons": "add subtracts"}'
    return WRONG if "hopeless" in str(request.prompt) else RIGHT


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Write a file of tasks."""

    def write(*tasks: dict[str, Any] | str) -> Path:
        path = tmp_path / "tasks.jsonl"
        path.write_text("".join(f"{t if isinstance(t, str) else json.dumps(t)}\n" for t in tasks))
        return path

    return write


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A user's folder with a file in it."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep me\n")
    return folder


def results(folder: Path) -> list[dict[str, Any]]:
    """The lines of a batch's folder."""
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def run_batch(super_agent: SuperAgent, server: ScriptedOllama, tasks: Path, out: Path, *more: str, **env: str) -> Done:
    """`super-agent batch` on a scripted server."""
    where = ("--out", str(out), "--base-url", server.base_url, "--model", server.model)
    return super_agent("batch", str(tasks), *where, *more, timeout_s=110, **env)
