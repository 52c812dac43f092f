"""Open Interpreter's host, and Python and shell in the sandbox."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.measure import Figure, repeated, seconds
from interpreter.engine.engine import Engine
from interpreter.engine.environment import ensure_engine_python, ensure_sandbox_python
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.cancellation import Cancellation

PRINTS = "for i in range(1_000_000): print('line', i)"
FLOOD = "import os\nblock = b'x' * 1000000\nfor _ in range(100): os.write(1, block)"


def figures() -> Iterator[Figure]:
    """Host first, then the sandbox."""
    yield from _host()
    with tempfile.TemporaryDirectory() as folder:
        policy = SandboxPolicy(workspace=Path(folder).resolve(), python=ensure_sandbox_python(lambda _text: None))
        yield from _python(policy)
        yield from _shell(policy)


def _host() -> Iterator[Figure]:
    memory: list[float] = []

    def start() -> float:
        engine = Engine(ensure_engine_python(lambda _text: None))
        try:
            elapsed = seconds(engine.start)
            [host] = psutil.Process().children()
            memory.append(host.memory_info().rss / 2**20)
        finally:
            engine.close()
        return elapsed

    yield Figure("Open Interpreter's host ready", "s", repeated(start), 2.5)
    yield Figure("its memory", "MiB", tuple(memory[1:]), 80)


def _python(policy: SandboxPolicy) -> Iterator[Figure]:
    memory: list[float] = []

    def start() -> float:
        runner = PythonRunner(policy)
        try:
            elapsed = seconds(runner.start)
            inside = psutil.Process().children(recursive=True)
            memory.append(max(process.memory_info().rss for process in inside) / 2**20)
        finally:
            runner.close()
        return elapsed

    yield Figure("sandboxed Python ready", "s", repeated(start), 0.15)
    yield Figure("its memory", "MiB", tuple(memory[1:]), 25)
    runner = PythonRunner(policy)
    try:
        yield Figure("one Python run", "ms", repeated(lambda: 1000 * seconds(lambda: run_once(runner, "1 + 1")), 50), 5)
        rate = repeated(lambda: 100 / seconds(lambda: run_once(runner, FLOOD)))
        yield Figure("100 MB of output drained", "MB/s", rate, 200, at_least=True)
        yield Figure("a million prints, our own time", "s", repeated(lambda: _own_time(runner, PRINTS), 3), 1)
        yield Figure("an interrupt answered", "s", repeated(lambda: interrupted(runner)), 1)
    finally:
        runner.close()


def _shell(policy: SandboxPolicy) -> Iterator[Figure]:
    runner = ShellRunner(policy)
    try:
        yield Figure(
            "one shell command", "ms", repeated(lambda: 1000 * seconds(lambda: run_once(runner, "true")), 50), 40
        )
    finally:
        runner.close()


def run_once(runner: PythonRunner | ShellRunner, code: str, cancellation: Cancellation | None = None) -> None:
    """To its end, its output thrown away."""
    runner.run(code, lambda _data: None, 60, cancellation)


def _own_time(runner: PythonRunner, code: str) -> float:
    """Processor seconds of this process, not of the code, whose printing takes longer than the taking."""
    started = time.process_time()
    run_once(runner, code)
    return time.process_time() - started


def interrupted(runner: PythonRunner) -> float:
    """Seconds from an interrupt to the end of what it ends."""
    asked: list[float] = []
    cancellation = Cancellation()

    def interrupt() -> None:
        asked.append(time.perf_counter())
        cancellation.cancel()

    timer = threading.Timer(0.3, interrupt)
    timer.start()
    run_once(runner, "import time; time.sleep(30)", cancellation)
    elapsed = time.perf_counter() - asked[0]
    timer.join()
    return elapsed
