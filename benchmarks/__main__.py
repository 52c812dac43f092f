"""`python -m benchmarks`: measure everything, print the table, keep it in benchmarks/results/."""

import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import batch, command_line, doors, executor, snapshots, store, waiting, watch, web

RESULTS = Path(__file__).parent / "results"
HEAD = "| figure | median | range | goal | |\n|---|---|---|---|---|"


def machine() -> str:
    """What the figures were measured on."""
    system = f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f} at first, {system}"


def main() -> None:
    """Print each row as soon as it is measured."""
    where = machine()
    print(where, HEAD, sep="\n\n", flush=True)
    found = []
    for group in (command_line, doors, executor, snapshots, store, watch, waiting, web, batch):
        for figure in group.figures():
            found.append(figure)
            print(figure.row(), flush=True)
    RESULTS.mkdir(exist_ok=True)
    rows = "\n".join(figure.row() for figure in found)
    text = f"# Start-up, executor and store\n\n{where}\n\n{HEAD}\n{rows}\n"
    (RESULTS / "start.md").write_text(text, encoding="utf-8")
    data = [{**asdict(figure), "median": figure.median, "reached": figure.reached} for figure in found]
    (RESULTS / "start.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    missed = sum(not figure.reached for figure in found)
    print(f"\n{len(found) - missed} of {len(found)} goals reached", file=sys.stderr)


if __name__ == "__main__":
    main()
