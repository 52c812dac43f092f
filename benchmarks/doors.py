"""From the start of a door on standard input and output to its answer to `initialize`, as an editor or agent waits."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator

import psutil

from benchmarks.command_line import COMMAND, PROJECT, environment
from benchmarks.measure import RUNS, Figure

GOAL_S = 1.0
ACP = {"protocolVersion": 1}
MCP = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "0"}}


def figures() -> Iterator[Figure]:
    """Wall time, and the processor time that it takes on whatever machine, which others' work does not lengthen."""
    with tempfile.TemporaryDirectory() as folder:
        for door, params, arguments in (("acp", ACP, ()), ("mcp", MCP, ("--root", folder))):
            _initialize(door, params, arguments, folder)
            found = [_initialize(door, params, arguments, folder) for _ in range(RUNS)]
            walls, cpus = zip(*found, strict=True)
            yield Figure(f"`{door}` until `initialize` is answered", "s", walls, GOAL_S)
            yield Figure("its processor time", "s", cpus, GOAL_S)


def _initialize(door: str, params: object, arguments: tuple[str, ...], folder: str) -> tuple[float, float]:
    """Seconds of wall and of processor; raises `RuntimeError` where the answer is none."""
    hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    started = time.perf_counter()
    with subprocess.Popen(
        [*COMMAND, door, *arguments], env=environment(folder), cwd=PROJECT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pipes asked for were not made")
        process.stdin.write(hello + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        wall_s = time.perf_counter() - started
        times = psutil.Process(process.pid).cpu_times()
        process.stdin.close()
    if "result" not in answer:
        raise RuntimeError(f"{door} answered {answer}")
    return wall_s, times.user + times.system
