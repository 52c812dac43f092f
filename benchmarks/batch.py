"""What a batch costs beside its runs, and whether its memory stays flat from 100 to 10,000 lines."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure
from super_agent.core.batches.attempts import Attempt
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say

CHECK = "test -f add.py"
TASKS = 8
MODEL_S = 3.0
"""Of each model call, of which a task has two: a quick model. A slower one makes the share smaller."""
FEW, MANY = 100, 10_000
LIMIT_S = 300
"""For one batch, of which the longest took 75 s."""


def figures() -> Iterator[Figure]:
    """What the driver adds to its runs, one after the other, and memory while all lines have results."""
    with tempfile.TemporaryDirectory() as name, ScriptedOllama(autogen=answer) as server:
        folder = Path(name)
        facts = _measured(folder, server, tasks(folder, TASKS))
        yield Figure("batch: added to its runs' time", "%", (100 * added_s(facts) / facts["runs_s"],), 2)
        yield Figure("batch: processor time beside the runs', for each", "s", (facts["processor_s"] / TASKS,), 0.15)
        few, many = _memory_mb(folder, server, FEW), _memory_mb(folder, server, MANY)
        yield Figure(f"batch: memory with {FEW} tasks", "MB", (few,), 100)
        yield Figure(f"batch: memory more for {MANY:,}", "MB", (many - few,), 20)


def added_s(facts: Mapping[str, float]) -> float:
    """From the first task's begin to the last one's result, less what the runs' processes took."""
    return facts["driver_s"] - facts["runs_s"]


def answer(request: Any) -> Say:
    """A plan, then the right file, each after `MODEL_S`."""
    cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
    text = "1. Write add.py." if cue.startswith("Planner") else "```python add.py\nX = 1\n```"
    return Say(text, wait_s=MODEL_S)


def tasks(folder: Path, count: int) -> Path:
    """A file of so many tasks that share a workspace."""
    source = folder / "source"
    source.mkdir()
    (source / "notes.txt").write_text("keep me\n")
    path = folder / "own.jsonl"
    task = {"task": "Write add.py", "check": CHECK, "workspace": str(source)}
    path.write_text("".join(f"{json.dumps(task | {'id': f't{number}'})}\n" for number in range(count)))
    return path


def _command(folder: Path, server: ScriptedOllama, tasks: Path) -> list[str]:
    where = ("--base-url", server.base_url, "--model", server.model, "--parallel", "1")
    return [sys.executable, "-m", "benchmarks.batch", str(tasks), "--out", str(folder / f"{tasks.stem}.out"), *where]


def environment(folder: Path) -> dict[str, str]:
    """Of a user whose state lies in the folder."""
    own = {"SUPER_AGENT_STATE_DIR": str(folder / "state"), "XDG_CONFIG_HOME": str(folder)}
    return {name: os.environ[name] for name in ("PATH", "HOME")} | own


def _measured(folder: Path, server: ScriptedOllama, tasks: Path) -> dict[str, float]:
    done = subprocess.run(
        _command(folder, server, tasks), env=environment(folder), capture_output=True, text=True, check=True,
        timeout=LIMIT_S,
    )  # fmt: skip
    return dict(json.loads(done.stderr.splitlines()[-1]))


def _memory_mb(folder: Path, server: ScriptedOllama, count: int) -> float:
    """At its most, of a batch whose every line has a result, of an earlier form of the task, and that runs a second."""
    tasks, out = folder / f"m{count}.jsonl", folder / f"m{count}.out"
    tasks.write_text("".join(f"{json.dumps({'id': f't{n}', 'task': 'x' * 2000})}\n" for n in range(count)))
    out.mkdir()
    earlier = Attempt(
        id="", hash="0" * 16, attempt=1, final=True, outcome="done", reason="check_passed", exit_code=0,
        detail="the check failed before the first turn and passes now", workspace=str(folder), host="host",
        model=server.model, digest="0" * 64, version="0", session="0" * 26,
    )  # fmt: skip
    lines = (earlier.model_copy(update={"id": f"t{n}"}).model_dump_json() for n in range(count))
    (out / "results.jsonl").write_text("".join(f"{line}\n" for line in lines))
    command = [*_command(folder, server, tasks), "--time", "1s"]
    done = subprocess.run(
        command, env=environment(folder), capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    return float(json.loads(done.stderr.splitlines()[-1])["peak_mb"])


def _peak_mb() -> float:
    """Not `ru_maxrss`, which a process inherits from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _metered(owner: type, name: str, clock: Callable[[], float], spent: list[float]) -> None:
    """From now on what each call of the coroutine method takes by the clock is added to `spent`."""
    method = getattr(owner, name)

    async def metered(*arguments: Any) -> Any:
        started = clock()
        try:
            return await method(*arguments)
        finally:
            spent.append(clock() - started)

    setattr(owner, name, metered)


def _own_s() -> float:
    """Processor time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _children_s() -> float:
    """Processor time of the processes that it has waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _driver() -> int:
    """The batch itself in this process; its last line on standard error is what it cost."""
    from super_agent.batch.driver import Driver
    from super_agent.batch.run_process import RunProcess
    from super_agent.cli.main import run_command

    whole, runs, runs_processor = list[float](), list[float](), list[float]()
    _metered(Driver, "run", time.perf_counter, whole)
    _metered(RunProcess, "run", time.perf_counter, runs)
    _metered(RunProcess, "run", _children_s, runs_processor)
    code = run_command(["batch", *sys.argv[1:]])
    # Reading its modules is not left out; git, rm and whatever else it starts beside the runs is in it.
    processor_s = _own_s() + _children_s() - sum(runs_processor)
    facts = {"processor_s": processor_s, "driver_s": sum(whole), "runs_s": sum(runs), "peak_mb": _peak_mb()}
    print(json.dumps(facts), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(_driver())
