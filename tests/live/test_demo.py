"""`make demo` on a server that has the configured model, and the server that the demo starts where there is none."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import platformdirs
import psutil
import pytest

from scripts.own_ollama import cache_folder
from super_agent.core.errors import ExitCode
from super_agent.core.ollama import processes
from tests.live.conftest import LiveOllama

PROJECT = Path(__file__).resolve().parents[2]


def environment(home: Path, base_url: str, model: str) -> dict[str, str]:
    """A user's who has nothing yet but what this machine has built already."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),
        "XDG_DATA_HOME": str(platformdirs.user_data_path()),
        "OLLAMA_BASE_URL": base_url,
        "DEFAULT_MODEL": model,
        # The model as it was made for these tests, for a server that is started with this environment.
        "OLLAMA_MODELS": str(cache_folder() / "own-ollama" / "models"),
        "OLLAMA_NOPRUNE": "1",
    }


def command(line: list[str], home: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line, cwd=home, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(300)
def test_the_demo_ends_with_a_file_that_passes_its_check(live_ollama: LiveOllama, tmp_path: Path) -> None:
    env = environment(tmp_path, live_ollama.base_url, live_ollama.model)
    done = command([sys.executable, "-m", "scripts.demo"], PROJECT, env)
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = tmp_path.glob("super-agent/demo-*/double.py")
    assert f"{live_ollama.model} changed {written.parent}" in done.stderr
    assert "the check passed" in done.stdout


@pytest.mark.timeout(300)
def test_a_demo_that_a_power_cut_ends_is_finished_by_resume(live_ollama: LiveOllama, tmp_path: Path) -> None:
    """The demo starts a server of its own; both are gone at once, and what the messages say leads to the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}"
    env = environment(tmp_path, base_url, live_ollama.model)
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.demo"], cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any("turn 1" in line for line in demo.stdout)
        demo.kill()
    stop_server(base_url)
    (workspace,) = tmp_path.glob("super-agent/demo-*")
    resume = ["super-agent", "resume", "--workspace", str(workspace)]
    refused = command(resume, tmp_path, env)
    assert refused.returncode == ExitCode.SERVER
    assert (said := re.search(r"Start it: (super-agent up [^,]+),", refused.stderr)), refused.stderr
    try:
        assert (made := command(shlex.split(said[1]), tmp_path, env)).returncode == 0, made.stderr
        done = command(resume, tmp_path, env)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        stop_server(base_url)
    assert (workspace / "double.py").is_file()


def stop_server(base_url: str) -> None:
    pid = processes.server_pid(base_url)
    assert pid is not None
    server = psutil.Process(pid)
    runners = server.children()  # before its end, after which they are nobody's children
    server.kill()
    for runner in runners:
        runner.kill()
    server.wait(10)


def test_a_server_of_our_own_does_not_outlive_the_process_that_started_it(
    live_ollama: LiveOllama, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.live_server", "--log", str(tmp_path / "server.log")],
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
