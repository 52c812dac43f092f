"""`make demo` on a server that has the configured model, and the server that the demo starts where there is none."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.live.conftest import LiveOllama

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_the_demo_ends_with_a_file_that_passes_its_check(live_ollama: LiveOllama, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "TMPDIR": str(tmp_path),
        "OLLAMA_BASE_URL": live_ollama.base_url,
        "DEFAULT_MODEL": live_ollama.model,
        "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
    }

    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = tmp_path.glob("super-agent-demo-*/double.py")
    assert f"{live_ollama.model} wrote {written}" in done.stderr
    assert "the check passed" in done.stdout


def test_a_server_of_our_own_does_not_outlive_the_process_that_started_it(
    live_ollama: LiveOllama, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.live_server", str(tmp_path / "server.log")],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        told = re.search(r"pid (\d+)", started.stdout.readline())
        assert told is not None
        server = psutil.Process(int(told[1]))
        started.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 20
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
