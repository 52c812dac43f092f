"""What snapshots cost in a large workspace: the first one, one after a turn, and finding out what to undo."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import RUNS, Figure, repeated, seconds
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.restore import plan
from super_agent.core.snapshots.snapshots import Snapshots

FOLDERS, FILES = 500, 100
"""50,000 files, as a large project with its data has."""
USUAL_FOLDERS = 50
"""5,000 files: more than most projects have outside of the folders that tools make."""
TOUCHED = 10
TURN_S = 15.0
"""A turn of 1,500 tokens at 100 tokens a second, so that the share is an upper bound."""


def figures() -> Iterator[Figure]:
    """The first snapshot with nothing kept before, then turns that touch ten files."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        _lay(root, FOLDERS)
        first = tuple(_first(root, Path(folder) / f"state{number}") for number in range(RUNS))
        yield Figure("snapshots: the first of 50,000 files", "s", first, 5)
        with Workspace(root) as workspace, Snapshots.open(Path(folder) / "state0", workspace) as snapshots:
            snapshots.take("turns", "start")
            turns = repeated(lambda: _turn(root, snapshots), 2 * RUNS)
            yield Figure("snapshots: a turn that touched ten of them", "ms", turns, 200)
            yield Figure("snapshots: their share of a run at 100 tokens a second, 50,000 files", "%", _share(turns), 1)
            start = snapshots.names("turns")["start"]
            found = repeated(lambda: seconds(lambda: plan(snapshots, start)))
            yield Figure("snapshots: what an undo would change, of 50,000 files", "s", found, 5)
        usual = Path(folder) / "usual"
        _lay(usual, USUAL_FOLDERS)
        with Workspace(usual) as workspace, Snapshots.open(Path(folder) / "state0", workspace) as snapshots:
            snapshots.take("turns", "start")
            turns = repeated(lambda: _turn(usual, snapshots), 2 * RUNS)
            yield Figure("snapshots: their share of a run at 100 tokens a second, 5,000 files", "%", _share(turns), 1)


def _share(turns: tuple[float, ...]) -> tuple[float, ...]:
    """Percent of a turn's time, from milliseconds."""
    return tuple(100 * ms / 1000 / TURN_S for ms in turns)


def _lay(root: Path, folders: int) -> None:
    for folder in range(folders):
        (root / f"d{folder}").mkdir(parents=True)
        for file in range(FILES):
            (root / f"d{folder}" / f"f{file}.py").write_text(f"value_{file} = {folder * file}\n" * 30)


def _first(root: Path, state: Path) -> float:
    with Workspace(root) as workspace, Snapshots.open(state, workspace) as snapshots:
        return seconds(lambda: snapshots.take("first", "start"))


def _turn(root: Path, snapshots: Snapshots) -> float:
    """Milliseconds."""
    for folder in range(TOUCHED):
        (root / f"d{folder}" / "f0.py").write_text(f"now = {time.time_ns()}\n")
    return 1000 * seconds(lambda: snapshots.take("turns", "1"))
