"""A workspace, a policy, and runners that are closed whatever happens."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from interpreter.sandbox.protocol import CodeOutcome, Runner, SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.cancellation import Cancellation

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Told:
    """An outcome and the whole output that came with it."""

    outcome: CodeOutcome
    output: str

    @property
    def kind(self) -> str:
        return self.outcome.kind


class Talk:
    """A runner that is easy to talk to."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def __call__(self, code: str, timeout_s: float = TIMEOUT_S, cancellation: Cancellation | None = None) -> Told:
        pieces: list[bytes] = []
        outcome = self.runner.run(code, pieces.append, timeout_s, cancellation)
        return Told(outcome, b"".join(pieces).decode("utf-8", "replace"))


def wait_for_no_child() -> None:
    """What was started has ended, at most a few moments later."""
    deadline = time.monotonic() + 5
    while psutil.Process().children(recursive=True) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert psutil.Process().children(recursive=True) == []


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def policy(workspace: Path) -> SandboxPolicy:
    return SandboxPolicy(workspace, Path(sys.executable))


def settled_now(policy: SandboxPolicy) -> SandboxPolicy:
    """The same policy, decided for what lies in the workspace now."""
    return replace(policy, decided=None)


@pytest.fixture
def talk(policy: SandboxPolicy) -> Iterator[Callable[[type], Talk]]:
    """Makes runners under the policy and closes them at the end."""
    opened: list[Runner] = []

    def make(runner: type[PythonRunner] | type[ShellRunner], chosen: SandboxPolicy = policy) -> Talk:
        opened.append(runner(chosen))
        return Talk(opened[-1])

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def python(talk: Callable[[type], Talk]) -> Talk:
    return talk(PythonRunner)


@pytest.fixture
def shell(talk: Callable[[type], Talk]) -> Talk:
    return talk(ShellRunner)
