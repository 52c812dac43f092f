"""Start-up of the commands, against a scripted server whose own time is nothing beside it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, repeated, seconds
from tests.scripted_ollama import ScriptedOllama

PROJECT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "super_agent.cli.main"]


def figures() -> Iterator[Figure]:
    """`--help`, first events, and the end of `verify --json`."""
    with tempfile.TemporaryDirectory() as folder, ScriptedOllama(lambda _request: "Done.") as server:
        where = ["--base-url", server.base_url, "--model", server.model]
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        task = ["Say hello.", "--workspace", str(workspace), "--json", *where]

        def until_end(*arguments: str) -> float:
            return seconds(lambda: subprocess.run([*COMMAND, *arguments], env=environment(folder), **QUIET))

        yield Figure("`--help`", "s", repeated(lambda: until_end("--help")), 0.3)
        yield Figure("first event of `run`", "s", repeated(lambda: _first_event(["run", *task], folder)), 1.5)
        yield Figure("first event of `exec`", "s", repeated(lambda: _first_event(["exec", *task], folder)), 1.0)
        quick = ("verify", "--quick", "--json", *where)
        yield Figure("end of `verify --quick --json`", "s", repeated(lambda: until_end(*quick)), 0.4)


QUIET = {"cwd": PROJECT, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": False}


def _first_event(arguments: list[str], folder: str) -> float:
    started = time.perf_counter()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(folder),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the pipe asked for was not made")
        process.stdout.readline()
        elapsed = time.perf_counter() - started
        process.stdout.read()
    return elapsed


def environment(folder: str) -> dict[str, str]:
    """A small one, whose settings and state lie in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "SUPER_AGENT_STATE_DIR": f"{folder}/state", "XDG_CONFIG_HOME": f"{folder}/config"}
