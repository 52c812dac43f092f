"""Several nodes of a Ray cluster on one machine, each with its own server, state and processes."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.batch.conftest import solve
from tests.cli.conftest import CHECKOUT, Done, environment
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say

MARK = "RAY_NODES_TEST"
START_S = 240
"""A node's own processes took 52 s to come up on a busy machine with a cold disk."""


def free_port() -> int:
    """Of this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class RayNodes:
    """A cluster; `mark` in the environment of a process says whose it is."""

    folder: Path
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    port: int = field(default_factory=free_port)
    names: list[str] = field(default_factory=list)
    ray_folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ray-")))  # sockets: short paths

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """That of a process on the node `name`, or of a driver."""
        (self.folder / name / "home").mkdir(parents=True, exist_ok=True)
        own = {
            MARK: f"{self.folder}:{name}", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token,
            "PYTHONPATH": str(CHECKOUT), "SUPER_AGENT_SANDBOX": "none", "SUPER_AGENT_APPROVE": "never",
        }  # fmt: skip
        return environment(self.folder / name) | own | more

    def begin(
        self, name: str, server: ScriptedOllama, *more: str, store_bytes: int = 80_000_000, **env: str
    ) -> "subprocess.Popen[str]":
        """`super-agent node` for a node; the first is the head."""
        where = ["--address", f"127.0.0.1:{self.port}"] if self.names else ["--port", str(self.port)]
        small = ["--num-cpus=1", f"--object-store-memory={store_bytes}", "--node-ip-address=127.0.0.1"]
        small += [] if self.names else [f"--temp-dir={self.ray_folder}"]
        self.names.append(name)
        model = ["--base-url", server.base_url, "--model", server.model]
        return self.start(name, "node", *where, *model, *more, "--", *small, **env)

    def start(self, name: str, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        """`super-agent ARGUMENTS` with the environment of a node."""
        return subprocess.Popen(
            [sys.executable, "-m", "super_agent.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env=self.environment(name, **env),
        )

    def all_up(self, begun: Iterable["subprocess.Popen[str]"]) -> None:
        """Wait for `begin`."""
        for process in begun:
            done = ended(process, START_S)
            assert done.code == 0, done.out + done.err

    def running(self, name: str) -> list[str]:
        """What of a node runs, by name."""
        found = []
        for process in self._processes(f"{self.folder}:{name}"):
            with suppress(psutil.Error):
                found.append(process.name())
        return found

    def kill(self, name: str) -> int:
        """As a power cut: every process of the node at once; returns how many."""
        found = self._processes(f"{self.folder}:{name}")
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        return len(found)

    def suspend(self, name: str) -> None:
        """As a machine that hangs or whose cable is out: its connections stay open, and it says nothing."""
        for process in self._processes(f"{self.folder}:{name}"):
            with suppress(psutil.Error):
                process.suspend()

    def close(self) -> None:
        """Kill what is left and remove Ray's folder."""
        for process in self._processes(f"{self.folder}:"):
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(self.ray_folder, ignore_errors=True)

    def _processes(self, mark: str) -> list[psutil.Process]:
        """Those with the mark, and their children: Ray's agents write their titles over their environments."""
        found = dict[int, psutil.Process]()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(MARK, "").startswith(mark):
                    found |= {each.pid: each for each in (process, *process.children(recursive=True))}
        return list(found.values())


def ended(process: "subprocess.Popen[str]", timeout_s: float) -> Done:
    """What it left; killed where it does not end."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"did not end in {timeout_s} s: {out}{err}") from None
    return Done(process.returncode, out, err)


def slowly(request: Any) -> Say:
    """So that there is a middle to be killed in."""
    return Say(solve(request), wait_s=0.4)


def batch(
    nodes: RayNodes, server: ScriptedOllama, tasks: Path, out: Path, *more: str, **env: str
) -> "subprocess.Popen[str]":
    """A driver on the head's machine."""
    where = ["--out", str(out), "--base-url", server.base_url, "--model", server.model]
    return nodes.start("head", "batch", str(tasks), *where, "--ray", f"127.0.0.1:{nodes.port}", *more, **env)


def wait_for(happened: Callable[[], bool], driver: "subprocess.Popen[str]", what: str) -> None:
    """Raises AssertionError where the driver ends before, or after five minutes."""
    until = time.monotonic() + 300
    while not happened():
        assert driver.poll() is None, f"the driver ended before {what}: {driver.communicate()}"
        assert time.monotonic() < until, f"{what} did not happen"
        time.sleep(0.05)
