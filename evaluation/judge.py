"""Whether a task is done: its pristine tests, in the sandbox, on a copy of what the contestant left."""

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluation.task import Files, Task, write_files
from interpreter.sandbox.command import run_command
from interpreter.sandbox.protocol import SandboxPolicy

TIMEOUT_S = 30.0
"""The slowest of our reference solutions takes 2 s; a loop without end is a failure."""
MAX_FILE_BYTES = 1_000_000
MAX_FILES = 500
MAX_OUTPUT_BYTES = 20_000
LEFT_OUT = re.compile(
    r"(^|/)(conftest\.py|sitecustomize\.py|usercustomize\.py|pytest\.ini|\.pytest\.ini|pytest\.toml|tox\.ini|setup\.cfg|pyproject\.toml"
    r"|pytest\.py|_pytest|pytest|\.venv|venv|\.git|__pycache__|\.pytest_cache|node_modules)(/|$)"
)
"""What could decide about the tests without doing the task: kept only where the task itself brings it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the tests said; `output` is their last 20,000 bytes."""

    passed: bool
    output: str
    duration_s: float


class Judge:
    """Runs pristine tests with one Python that has pytest."""

    def __init__(self, python: Path) -> None:
        self.python = python

    def judge(self, task: Task, left: Files) -> Judgement:
        """The tests of `task` on the files that were left; raises `SandboxUnavailable`."""
        with temporary_folder() as folder:
            write_files(left, folder)
            # In this order: no file of the contestant's is where a test belongs.
            pristine = {**task.tests, **task.hidden}
            write_files(pristine, folder)
            named = [path for path in pristine if Path(path).name.startswith("test_") or path.endswith("_test.py")]
            command = f"python -B -m pytest -q -p no:cacheprovider --rootdir=. {shlex.join(sorted(named))}"
            return self.run(folder, command)

    def check(self, task: Task, files: Files) -> Judgement:
        """The task's visible check, as a contestant could run it itself."""
        with temporary_folder() as folder:
            write_files({**task.start, **files}, folder)
            return self.run(folder, task.check)

    def run(self, folder: Path, command: str) -> Judgement:
        """A command in a sandbox of its own, in `folder`."""
        said = bytearray()
        policy = SandboxPolicy(folder, self.python, environment={"PYTHONDONTWRITEBYTECODE": "1"})
        outcome = run_command(policy, command, said.extend, TIMEOUT_S)
        output = bytes(said[-MAX_OUTPUT_BYTES:]).decode("utf-8", "replace")
        return Judgement(outcome.kind == "finished", output or outcome.detail, outcome.duration_s)


def left_in(folder: Path, task: Task) -> dict[str, bytes]:
    """The files that a contestant left; links, large files and what could sway the tests are passed over."""
    found: dict[str, bytes] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not LEFT_OUT.search(name))
        for name in sorted(names):
            place = Path(parent) / name
            path = str(place.relative_to(folder))
            if place.is_symlink() or not place.is_file() or place.stat().st_size > MAX_FILE_BYTES:
                continue
            if (path in task.workspace or not LEFT_OUT.search(path)) and len(found) < MAX_FILES:
                found[path] = place.read_bytes()
    return found


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder that is gone at the end, whatever code has made of it."""
    folder = Path(tempfile.mkdtemp(prefix="super-agent-evaluation-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
