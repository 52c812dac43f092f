"""`python -m benchmarks.compare`: run every contestant, print the table, keep it in benchmarks/results/.

The server evaluates about 126,000 tokens: 6 to 14 minutes at the 330 to 150 a second of two quiet cores.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.compare import chart, contestants, pair, table
from benchmarks.compare.contestants import Contestant
from benchmarks.compare.goals import goals
from benchmarks.compare.measure import RunCost, measure
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import EngineFailed
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import TINY, packaged_model

RESULTS = Path(__file__).resolve().parents[1] / "results"


def everybody() -> Iterator[Contestant]:
    """In the table's order; raises `EngineFailed` last, where stock Open Interpreter cannot be installed."""
    yield from contestants.stock_teams()
    yield contestants.team()
    yield contestants.team(run=True)
    yield contestants.team(contestants.LONG_TURNS)
    yield contestants.solo()
    yield contestants.open_interpreter()


def run(server: OwnOllama, model: str, where: str) -> None:
    """Print each row as soon as it is measured; what cannot be run is said in its place."""
    print(where, table.LEGEND, table.COLUMNS, sep="\n\n", flush=True)
    rows: list[RunCost] = []
    notes: list[str] = []
    try:
        for contestant in everybody():
            row = _measured(server, model, contestant, notes)
            if row is not None:
                rows.append(row)
    except EngineFailed as error:
        notes.append(f"Not measured: stock Open Interpreter: {error}")
        print(notes[-1], flush=True)
    two = pair.pairs(server, model)
    reached = goals(rows, two)
    print("", pair.HEAD, *(found.row() for found in two), sep="\n")
    print("", table.GOALS, *(goal.row() for goal in reached), sep="\n", flush=True)
    page = table.Page(where, rows, two, reached, notes)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "compare.md").write_text(page.markdown(), encoding="utf-8")
    (RESULTS / "compare.json").write_text(page.json(), encoding="utf-8")
    (RESULTS / "compare.svg").write_text(chart.svg(rows), encoding="utf-8")


def _measured(server: OwnOllama, model: str, contestant: Contestant, notes: list[str]) -> RunCost | None:
    try:
        row = measure(server, model, contestant)
    except RuntimeError as error:
        notes.append(f"Not measured: {contestant.name}, {contestant.length}: {error}")
        print(notes[-1], flush=True)
        return None
    print(table.line(row), flush=True)
    return row


def main() -> None:
    """On a server of this checkout's own, so that nothing of the user's is loaded or unloaded."""
    started = time.monotonic()
    program = find_program()
    with TemporaryDirectory() as folder, OwnOllama(program, Path(folder) / "server.log", debug=True) as server:
        with Ollama(load_settings({"base_url": server.base_url}, environ={})) as management:
            model = packaged_model(management, TINY, lambda text: print(text, file=sys.stderr))
            where = table.machine(management.version(), model)
        run(server, model, where)
    print(f"\ntook {(time.monotonic() - started) / 60:.1f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
