"""What a batch costs beside its runs, and whether its memory stays flat from 100 to 10,000 lines."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, seconds
from tests.scripted_ollama import ScriptedOllama

CHECK = "test -f add.py"
TASKS = 8
FEW, MANY = 100, 10_000


def figures() -> Iterator[Figure]:
    """The driver's own processor time as a share of its runs' wall time; memory while all lines have results."""
    with tempfile.TemporaryDirectory() as name, ScriptedOllama(autogen=_answer) as server:
        folder = Path(name)
        own, wall = _own_and_wall(folder, server)
        yield Figure("batch: its own processor time beside its runs", "%", (100 * own / wall,), 2)
        few, many = _memory_mb(folder, server, FEW), _memory_mb(folder, server, MANY)
        yield Figure(f"batch: memory more for {MANY:,} tasks than for {FEW}", "MB", (many - few,), 20)


def _answer(request: Any) -> str:
    cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
    return "1. Write add.py." if cue.startswith("Planner") else "```python add.py\nX = 1\n```"


def _command(folder: Path, server: ScriptedOllama, tasks: Path) -> list[str]:
    where = ("--base-url", server.base_url, "--model", server.model, "--parallel", "1")
    return [sys.executable, "-m", "benchmarks.batch", str(tasks), "--out", str(folder / f"{tasks.stem}.out"), *where]


def _environment(folder: Path) -> dict[str, str]:
    own = {"SUPER_AGENT_STATE_DIR": str(folder / "state"), "XDG_CONFIG_HOME": str(folder)}
    return {name: os.environ[name] for name in ("PATH", "HOME")} | own


def _measured(folder: Path, server: ScriptedOllama, tasks: Path) -> dict[str, float]:
    done = subprocess.run(
        _command(folder, server, tasks), env=_environment(folder), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stderr.splitlines()[-1]))


def _own_and_wall(folder: Path, server: ScriptedOllama) -> tuple[float, float]:
    tasks = folder / "own.jsonl"
    lines = [json.dumps({"id": f"t{n}", "task": "Write add.py", "check": CHECK}) for n in range(TASKS)]
    tasks.write_text("\n".join(lines))
    facts: list[dict[str, float]] = []
    wall = seconds(lambda: facts.append(_measured(folder, server, tasks)))
    # Starting Python and reading its modules is not a cost for each task.
    nothing = _measured(folder, server, tasks)
    return facts[0]["own_s"] - nothing["own_s"], wall


def _memory_mb(folder: Path, server: ScriptedOllama, count: int) -> float:
    """At its most, of a batch that reads all lines and runs for a second."""
    tasks = folder / f"m{count}.jsonl"
    tasks.write_text("".join(f"{json.dumps({'id': f't{n}', 'task': 'x' * 2000})}\n" for n in range(count)))
    command = [*_command(folder, server, tasks), "--time", "1s"]
    done = subprocess.run(command, env=_environment(folder), capture_output=True, text=True, check=False)
    return float(json.loads(done.stderr.splitlines()[-1])["peak_mb"])


def _peak_mb() -> float:
    """Not `ru_maxrss`, which a process inherits from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _driver() -> int:
    """The batch itself in this process; its last line on standard error is what it cost."""
    from super_agent.cli.main import run_command

    code = run_command(["batch", *sys.argv[1:]])
    own = resource.getrusage(resource.RUSAGE_SELF)
    facts = {"own_s": own.ru_utime + own.ru_stime, "peak_mb": _peak_mb()}
    print(json.dumps(facts), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(_driver())
