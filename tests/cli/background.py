"""A command that runs while the test does something to it."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import CHECKOUT, environment

PATIENCE_S = 60.0


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """`super-agent ARGUMENTS` in the background, with the environment of the `super_agent` fixture."""
    return subprocess.Popen(
        [sys.executable, "-m", "super_agent.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=environment(tmp_path),
    )


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Raises TimeoutError after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen in {PATIENCE_S:g} s")
        time.sleep(0.02)
