"""What a contestant is asked to do, and how the tasks of this repository are read from their folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OURS = Path(__file__).parent / "tasks"
KINDS = ("function", "mend", "feature", "chore")
CHECK = "python -m pytest -q"

Files = Mapping[str, bytes]
"""Contents by path, relative, with slashes."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `name` is unique within a run of the evaluation, e.g. "mend/leap-year".

    `workspace` is what the contestant finds beside `tests`, which it sees and may even change: the judge puts the
    pristine ones back and adds `hidden`. `solution` is laid over the workspace; it may be empty for foreign tasks.
    """

    name: str
    kind: str
    text: str
    workspace: Files
    tests: Files
    hidden: Files = field(default_factory=dict)
    solution: Files = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    """Files that a right answer writes."""
    check: str = CHECK

    @property
    def start(self) -> Files:
        """Everything that the contestant finds."""
        return {**self.workspace, **self.tests}


class TasksUnreadable(Exception):
    """A folder or file of tasks is not what it should be; the text names it and says what is missing."""


def read_ours(folder: Path = OURS, kinds: Sequence[str] = KINDS) -> list[Task]:
    """The tasks below `folder`/KIND/, sorted by name; raises `TasksUnreadable`."""
    found = [read_task(place, kind) for kind in kinds for place in sorted((folder / kind).glob("*/"))]
    if not found:
        raise TasksUnreadable(f"{folder} holds no tasks of the kinds {', '.join(kinds)}")
    return found


def read_task(folder: Path, kind: str) -> Task:
    """One folder: task.md, tests/, and where the task has them workspace/, hidden/, solution/."""
    text = folder / "task.md"
    if not text.is_file():
        raise TasksUnreadable(f"{folder} has no task.md")
    tests, solution = (_files(folder / name) for name in ("tests", "solution"))
    if not tests:
        raise TasksUnreadable(f"{folder} has no tests")
    return Task(
        name=f"{kind}/{folder.name}",
        kind=kind,
        text=text.read_text(encoding="utf-8").strip(),
        workspace=_files(folder / "workspace"),
        tests=tests,
        hidden=_files(folder / "hidden"),
        solution=solution,
        targets=tuple(solution),
    )


def write_files(files: Files, folder: Path) -> None:
    """Write them below `folder`, which need not exist."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
