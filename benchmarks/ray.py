"""What Ray adds to a task, beside what its node takes for it: `python -m benchmarks.ray` in `.venv/ray`, a few minutes.

Kept apart from the other benchmarks, because Ray is not in their environment (scripts/ray_venv.sh).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import batch
from benchmarks.__main__ import HEAD, RESULTS, machine
from benchmarks.measure import Figure
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say

TASKS = 20
LIMIT_S = 300
"""For all of them; they took 40 s on a machine with nothing else to do."""


def answer(request: Any) -> Say:
    """At once: how long a model takes is no part of what Ray adds."""
    return replace(batch.answer(request), wait_s=0.0)


def figures() -> Iterator[Figure]:
    """Of tasks one after the other on one node of this machine, the first of which waits for Ray's process there."""
    with tempfile.TemporaryDirectory() as name, ScriptedOllama(autogen=answer) as server:
        folder, out = Path(name), Path(name) / "out"
        where = ("--base-url", server.base_url, "--model", server.model, "--parallel", "1", "--out", str(out), "--ray")
        command = [sys.executable, "-m", "super_agent.cli.main", "batch", str(batch.tasks(folder, TASKS)), *where]
        subprocess.run(command, env=batch.environment(folder), capture_output=True, check=True, timeout=LIMIT_S)
        found = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    if [line["outcome"] for line in found] != ["done"] * TASKS:
        raise RuntimeError(f"not each task was done at once: {found}")
    added = tuple(line["transport_s"] for line in found)
    yield Figure("batch: added to a task by Ray", "s", added, 0.5)
    yield Figure(f"batch: the same, the mean of {TASKS}", "s", (sum(added) / TASKS,), 0.5)


def main() -> None:
    """The batch's own figures and Ray's, printed and kept."""
    rows, where = [], machine()
    print(where, HEAD, sep="\n\n", flush=True)
    for group in (batch, sys.modules[__name__]):
        for figure in group.figures():
            rows.append(figure.row())
            print(rows[-1], flush=True)
    (RESULTS / "batch.md").write_text(
        "\n".join(["# A batch, and Ray", "", where, "", HEAD, *rows]) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
