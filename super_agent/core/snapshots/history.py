"""The snapshots of one session in their order, and what lies between two of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from super_agent.core.files.workspace import Changes
from super_agent.core.snapshots.restore import tree_of
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import LeftOut

START, END = "start", "end"
"""Snapshots at a run's start and end; between them each turn's has its number."""
BEFORE = "before-"
"""Snapshots that saved what somebody may have changed since the session's own last one."""
UNDO, REDO = "undone-", "redone-"
NOTHING = "000000"
"""The mode that git gives to what is not there."""


@dataclass(frozen=True, slots=True)
class History:
    """Names and commits, oldest first."""

    names: dict[str, str]

    @classmethod
    def of(cls, snapshots: Snapshots, session: str) -> "History":
        """Raises `SnapshotFailed`."""
        return cls(snapshots.names(session))

    @property
    def run(self) -> list[str]:
        """The names of those that the run itself took."""
        return [name for name in self.names if not name.startswith((BEFORE, UNDO, REDO))]

    @property
    def turns(self) -> list[int]:
        """The turns whose end is kept, sorted; 0 is before the first."""
        return sorted(int(name) for name in self.run if name.isdecimal())

    @property
    def first(self) -> str:
        """The commit from before the first change."""
        return self.names[self.run[0]]

    @property
    def last(self) -> str:
        """The commit of the run's last snapshot."""
        return self.names[self.run[-1]]

    @property
    def newest(self) -> str:
        """The commit of the newest of all."""
        return [*self.names.values()][-1]

    @property
    def is_whole(self) -> bool:
        """Whether nothing can have happened after the newest of them: the run's last part came to its end."""
        return [name for name in self.names if not name.startswith(BEFORE)][-1].startswith((END, UNDO, REDO))

    def after_turn(self, turn: int) -> str | None:
        """The commit from the end of a turn; 0 is before the first."""
        return self.names.get(str(turn)) or (self.first if turn == 0 else None)

    def of_turn(self, turn: int) -> tuple[str, str] | None:
        """The commits around a turn; of the last one, where it was not completed, the run's end."""
        before, after = self.after_turn(turn - 1), self.names.get(str(turn))
        if after is None and turn - 1 == max([0, *self.turns]) and self.last != before:
            after = self.last
        return (before, after) if before is not None and after is not None else None

    @property
    def before_resume(self) -> str | None:
        """The commit from before the last resume took anything back."""
        saved = [name for name in self.names if name.startswith(f"{BEFORE}resume-")]
        return self.names[saved[-1]] if saved else None

    def undone(self) -> tuple[str, str] | None:
        """The commits before and after the last undo, where it was not taken back."""
        marks = [name for name in self.names if name.startswith((UNDO, REDO))]
        if not marks or marks[-1].startswith(REDO):
            return None
        number = marks[-1].removeprefix(UNDO)
        return self.names[f"{BEFORE}undo-{number}"], self.names[marks[-1]]


def values(snapshots: Snapshots, session: str) -> dict[str, set[tuple[str, str] | None]]:
    """Of each path that the run changed: what it was before and after, as in `restore.Tree`; None is not there.

    What changed up to a snapshot that saved the state before an undo or a resume is somebody else's work.
    """
    found: dict[str, set[tuple[str, str] | None]] = {}
    every = snapshots.all(session)
    for (_, before), (name, after) in pairwise(every):
        if name.startswith((BEFORE, UNDO, REDO)) or before == after:
            continue
        unkept = LeftOut(snapshots.note(before), snapshots.note(after))
        for opened, kept in permissions(snapshots, before, after):
            found.setdefault(opened, set()).update(kept)
        fields = snapshots.git.run("diff-tree", "-r", "-z", "--no-renames", before, after).split(b"\0")[:-1]
        for facts, path in zip(fields[::2], fields[1::2], strict=True):
            old_mode, new_mode, old, new, _kind = facts[1:].decode().split()
            both = {(old_mode, old) if old_mode != NOTHING else None, (new_mode, new) if new_mode != NOTHING else None}
            if os.fsdecode(path) not in unkept:
                found.setdefault(os.fsdecode(path), set()).update(both)
    return found


def permissions(snapshots: Snapshots, before: str, after: str) -> Iterator[tuple[str, set[tuple[str, str] | None]]]:
    """The paths whose permissions differ, which git does not tell, with their values in both snapshots."""
    was, now = snapshots.note(before).modes, snapshots.note(after).modes
    if was == now:
        return
    trees = tree_of(snapshots, before), tree_of(snapshots, after)
    for path in {*was, *now}:
        if was.get(path) != now.get(path):
            yield path, {tree.get(path) for tree in trees}


def changes(snapshots: Snapshots, before: str, after: str) -> Changes:
    """What differs between two snapshots, left-out files apart; raises `SnapshotFailed`."""
    out = snapshots.git.run("diff-tree", "-r", "-z", "--name-status", "--no-renames", before, after)
    fields = [os.fsdecode(field) for field in out.split(b"\0")[:-1]]
    unkept = LeftOut(snapshots.note(before), snapshots.note(after))
    found: dict[str, list[str]] = {"A": [], "M": [], "D": []}
    for kind, path in zip(fields[::2], fields[1::2], strict=True):
        if path not in unkept:
            found["M" if kind == "T" else kind].append(path)
    return Changes(tuple(sorted(found["A"])), tuple(sorted(found["M"])), tuple(sorted(found["D"])))


def diff(snapshots: Snapshots, before: str, after: str, *, stat: bool = False, columns: int = 80) -> bytes:
    """As git shows it, without colours; binary files are named only. Raises `SnapshotFailed`."""
    how = (f"--stat={columns}",) if stat else ("-p",)
    return snapshots.git.run("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", *how, before, after)
