"""Back to a snapshot: first a plan that can be shown, then its application."""

import hashlib
import io
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from super_agent.core.errors import PathRefused, SnapshotFailed
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import LeftOut, Note, content_of, git_mode, kept, path_and_parents, set_modes

BLOBS_AT_ONCE = 64
"""Of up to 32 MiB each, in one answer of git; sources are a few KiB."""
Tree = dict[str, tuple[str, str]]
"""Of each path: mode as git writes it, and blob id."""


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """One path to be brought back. `kind` is what applying does; `blob` and `mode` are what it will be, if anything.

    `was` is what stood there when it was planned, as in `Tree`.

    `foreign`: the path is not as the session last saw it, so somebody else's work would be lost.
    """

    path: str
    kind: Literal["create", "replace", "delete"]
    mode: str = ""
    blob: str = ""
    was: tuple[str, str] | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What leads from the present state of the workspace to a snapshot; paths sorted."""

    steps: tuple[RestoreStep, ...]
    unkept: tuple[str, ...] = ()
    """What the snapshot holds but is not touched, as what stands there now could not be kept."""

    def of(self, paths: Collection[str]) -> "RestorePlan":
        """Only these paths, and what lies below them."""
        wanted = {path.rstrip("/") for path in paths}
        return self.only(step for step in self.steps if any(place in wanted for place in path_and_parents(step.path)))

    @property
    def own(self) -> "RestorePlan":
        """Without the steps that would undo somebody else's work."""
        return self.only(step for step in self.steps if not step.foreign)

    def only(self, steps: Iterable[RestoreStep]) -> "RestorePlan":
        """The same with these steps."""
        return replace(self, steps=tuple(steps))


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


def plan(
    snapshots: Snapshots,
    target: str,
    last_seen: str | None = None,
    *,
    newest: str | None = None,
    now: Tree | None = None,
) -> RestorePlan:
    """From the present state to the snapshot `target`; `last_seen` is the newest snapshot of the session's own.

    No step is for a path that the target, the snapshot `newest`, or one taken now leaves out: nobody could bring back
    what stands there. `now` is the present tree, where it was read already.
    """
    wanted = tree_of(snapshots, target)
    now = present_tree(snapshots) if now is None else now
    seen = tree_of(snapshots, last_seen) if last_seen is not None else now
    present, unknown = kept(snapshots.workspace.facts(), snapshots.limits)
    lost = {path for path, (_mode, blob) in now.items() if not blob}
    untouched = LeftOut(
        snapshots.note(target), *([snapshots.note(newest)] if newest else []), Note(left_out=[*lost, *unknown])
    )
    # Git knows one permission only, that to execute.
    modes, here = snapshots.note(target).modes, set_modes(present)
    steps, unkept = [], []
    for path in sorted({*wanted, *now}):
        if path in untouched:
            unkept += [path] if path in wanted else []
            continue
        if wanted.get(path) == now.get(path) and modes.get(path) == here.get(path):
            continue
        was, foreign = now.get(path), now.get(path) != seen.get(path)
        if path not in wanted:
            steps.append(RestoreStep(path, "delete", was=was, foreign=foreign))
        else:
            steps.append(RestoreStep(path, "replace" if was else "create", *wanted[path], was=was, foreign=foreign))
    return RestorePlan(tuple(steps), tuple(unkept))


def apply(snapshots: Snapshots, steps: RestorePlan, target: str, saved: str) -> None:
    """Do it: deletions first, as a folder may stand where a file shall be; `target` is what was planned for.

    Nothing is removed or overwritten but what is as it was planned and lies in the snapshot `saved`. What cannot be
    done does not keep the rest from being done; raises `SnapshotFailed` then.
    """
    workspace, held, modes = snapshots.workspace, tree_of(snapshots, saved), snapshots.note(target).modes
    refused: list[str] = []

    def attempt(step: RestoreStep, act: Callable[[], None]) -> None:
        try:
            if step.was != held.get(step.path) or present_of(snapshots, step.path) != step.was:
                raise PathRefused(f"{step.path} was changed just now")
            act()
        except PathRefused as refusal:
            refused.append(str(refusal))

    for step in steps.steps:
        if step.kind == "delete":
            attempt(step, partial(workspace.remove_entry, step.path))
    writes = [step for step in steps.steps if step.kind != "delete"]
    for start in range(0, len(writes), BLOBS_AT_ONCE):
        some = writes[start : start + BLOBS_AT_ONCE]
        for step, content in zip(some, _blobs(snapshots, [step.blob for step in some]), strict=True):
            if step.mode == "120000":
                attempt(step, partial(workspace.put_link, step.path, content))
                continue
            executable, mode = step.mode == "100755", modes.get(step.path)
            attempt(step, partial(workspace.put_entry, step.path, content, executable=executable, mode=mode))
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise SnapshotFailed(
            f"the workspace cannot be restored wholly: {refused[0]}{more}", fix="Mend it and try again"
        )


def _blobs(snapshots: Snapshots, names: list[str]) -> Iterator[bytes]:
    """The contents of blobs, in their order."""
    out = io.BytesIO(snapshots.git.run("cat-file", "--batch", given="".join(f"{n}\n" for n in names).encode()))
    for name in names:
        head = out.readline().decode().split()
        if len(head) != 3:
            raise SnapshotFailed(f"the snapshot lacks {name}", fix="Its repository is damaged: git fsck says more")
        yield out.read(int(head[2]))
        out.readline()


def present_of(snapshots: Snapshots, path: str) -> tuple[str, str] | None:
    """What stands there now, as in `Tree`, read whole; without a blob where no snapshot would keep it."""
    try:
        facts = snapshots.workspace.facts_of(path)
        if facts is None:
            return None
        if not kept({path: facts}, snapshots.limits)[0]:
            return git_mode(facts[2]), ""
        content = content_of(snapshots.workspace, path, facts, snapshots.limits)
    except FileNotFoundError:
        return None  # it went away while we looked
    except (OSError, PathRefused):
        return "", ""
    return git_mode(facts[2]), _blob_id(content)


def _present(snapshots: Snapshots) -> Iterator[tuple[str, str, str]]:
    everything = snapshots.workspace.facts()
    within = kept(everything, snapshots.limits)[0]
    for path, facts in everything.items():
        mode = git_mode(facts[2])
        try:
            content = content_of(snapshots.workspace, path, facts, snapshots.limits) if path in within else None
        except FileNotFoundError:
            continue  # it went away while we looked
        except (OSError, PathRefused):
            content = None
        yield path, mode, _blob_id(content) if content is not None else ""


def _blob_id(content: bytes) -> str:
    """As git names an object (git-hash-object(1)); a name, not a protection."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
