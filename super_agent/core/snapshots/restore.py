"""Back to a snapshot: first a plan that can be shown, then its application."""

import hashlib
import io
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from super_agent.core.errors import PathRefused, SnapshotFailed
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import MAX_FILE_BYTES, git_mode, set_modes

BLOBS_AT_ONCE = 64
"""Of up to 32 MiB each, in one answer of git; sources are a few KiB."""
Tree = dict[str, tuple[str, str]]
"""Of each path: mode as git writes it, and blob id."""


@dataclass(frozen=True, slots=True)
class Step:
    """One path to be brought back. `kind` is what applying does; `blob` and `mode` are what it will be, if anything.

    `foreign`: the path is not as the session last saw it, so somebody else's work would be lost.
    """

    path: str
    kind: Literal["create", "replace", "delete"]
    mode: str = ""
    blob: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What leads from the present state of the workspace to a snapshot; paths sorted."""

    steps: tuple[Step, ...]

    def of(self, paths: Collection[str]) -> "Plan":
        """Only these paths, and what lies below them."""
        wanted = {path.rstrip("/") for path in paths}
        return Plan(tuple(step for step in self.steps if any(place in wanted for place in _places(step.path))))

    @property
    def own(self) -> "Plan":
        """Without the steps that would undo somebody else's work."""
        return Plan(tuple(step for step in self.steps if not step.foreign))


def _places(path: str) -> Iterator[str]:
    """A path and the folders it lies in."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def tree_of(snapshots: Snapshots, commit: str) -> Tree:
    """What a snapshot holds; raises `SnapshotFailed`."""
    out = snapshots.git.run("ls-tree", "-r", "-z", "--full-tree", commit)
    found: Tree = {}
    for line in out.split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _kind, blob = facts.decode().split()
            found[os.fsdecode(path)] = (mode, blob)
    return found


def present_tree(snapshots: Snapshots) -> Tree:
    """What the workspace holds now, read whole; of what no snapshot would keep the blob id is empty."""
    return {path: (mode, blob) for path, mode, blob in _present(snapshots)}


def plan(snapshots: Snapshots, target: str, last_seen: str | None = None, *, now: Tree | None = None) -> Plan:
    """From the present state to the snapshot `target`; `last_seen` is the newest snapshot of the session.

    `now` is the present tree, where it was read already.
    """
    wanted = tree_of(snapshots, target)
    now = present_tree(snapshots) if now is None else now
    seen = tree_of(snapshots, last_seen) if last_seen is not None else now
    # Git knows one permission only, that to execute.
    modes, present = snapshots.note(target).modes, set_modes(snapshots.workspace.facts())
    steps = []
    for path in sorted({*wanted, *now}):
        unkept = path in now and not now[path][1]
        same = wanted.get(path) == now.get(path) and modes.get(path) == present.get(path)
        if same or (unkept and path not in wanted):
            continue
        foreign = unkept or now.get(path) != seen.get(path)
        if path not in wanted:
            steps.append(Step(path, "delete", foreign=foreign))
        else:
            steps.append(Step(path, "replace" if path in now else "create", *wanted[path], foreign=foreign))
    return Plan(tuple(steps))


def apply(snapshots: Snapshots, steps: Plan, target: str | None = None) -> None:
    """Do it: deletions first, as a folder may stand where a file shall be. Raises `SnapshotFailed`.

    `target` is the snapshot that was planned for; it knows which files had permissions of their own.
    """
    workspace = snapshots.workspace
    modes = snapshots.note(target).modes if target is not None else {}
    try:
        for step in steps.steps:
            if step.kind == "delete":
                workspace.remove_entry(step.path)
        writes = [step for step in steps.steps if step.kind != "delete"]
        for start in range(0, len(writes), BLOBS_AT_ONCE):
            some = writes[start : start + BLOBS_AT_ONCE]
            for step, content in zip(some, _blobs(snapshots, [step.blob for step in some]), strict=True):
                if step.mode == "120000":
                    workspace.put_link(step.path, content)
                else:
                    workspace.put_entry(step.path, content, executable=step.mode == "100755", mode=modes.get(step.path))
    except PathRefused as refusal:
        raise SnapshotFailed(f"the workspace cannot be restored: {refusal}", fix="Mend it and try again") from refusal


def _blobs(snapshots: Snapshots, names: list[str]) -> Iterator[bytes]:
    """The contents of blobs, in their order."""
    out = io.BytesIO(snapshots.git.run("cat-file", "--batch", given="".join(f"{n}\n" for n in names).encode()))
    for name in names:
        head = out.readline().decode().split()
        if len(head) != 3:
            raise SnapshotFailed(f"the snapshot lacks {name}", fix="Its repository is damaged: git fsck says more")
        yield out.read(int(head[2]))
        out.readline()


def _present(snapshots: Snapshots) -> Iterator[tuple[str, str, str]]:
    workspace = snapshots.workspace
    for path, facts in workspace.facts().items():
        mode = git_mode(facts[2])
        try:
            if stat.S_ISLNK(facts[2]):
                yield path, mode, _blob_id(workspace.read_link(path))
            else:
                yield path, mode, _blob_id(workspace.read_entry(path, MAX_FILE_BYTES))
        except FileNotFoundError:
            continue  # it went away while we looked
        except (OSError, PathRefused):
            yield path, mode, ""


def _blob_id(content: bytes) -> str:
    """As git names an object (git-hash-object(1)); a name, not a protection."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
