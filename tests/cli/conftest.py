"""The command line as a user types it, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.three_turns import Ended

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: exit code, output, complaints."""

    code: int
    out: str
    err: str


SuperAgent = Callable[..., Done]


def environment(tmp_path: Path) -> dict[str, str]:
    """A small one of the test's own, so that nothing of the user's counts."""
    home = tmp_path / "home"
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "XDG_CONFIG_HOME": str(home / "config"),
        "SUPER_AGENT_STATE_DIR": str(home / "state"),
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty one."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def super_agent(tmp_path: Path) -> SuperAgent:
    """Run `super-agent ARGUMENTS` with an environment of the test's own and standard input closed."""
    (tmp_path / "home").mkdir()

    def run(*arguments: str, stdin: str | None = None, timeout_s: float = 60, **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "super_agent.cli.main", *arguments],
            input=stdin if stdin is not None else "",
            capture_output=True,
            encoding=environ.get("PYTHONIOENCODING", "utf-8"),
            timeout=timeout_s,
            cwd=CHECKOUT,
            env=environment(tmp_path) | environ,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple["Ended", float]:
    """The run of `three_turns` as it should be, and how many seconds it takes."""
    from tests.cli.three_turns import run_undisturbed

    return run_undisturbed(tmp_path_factory.mktemp("undisturbed"))
