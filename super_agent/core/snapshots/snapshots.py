"""One shadow repository for each workspace, one commit for each turn of a session.

Kept are regular files (exact bytes, permissions) and symbolic links, ignored by the user's git or not. Not kept, and so
not reversible: what lies in `.git` or in folders that tools make (`SKIPPED_FOLDERS`), what is above the limits in
`stream`, empty folders, and what is neither file nor link.
"""

import hashlib
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from super_agent.core.closing import Closing
from super_agent.core.errors import SnapshotFailed
from super_agent.core.files.workspace import Workspace
from super_agent.core.locks import open_file
from super_agent.core.snapshots.git import Git
from super_agent.core.snapshots.index import Index
from super_agent.core.snapshots.lock import locked
from super_agent.core.snapshots.stream import (
    LIMITS,
    Note,
    PendingSnapshot,
    SnapshotLimits,
    Tell,
    kept,
    pieces,
    set_modes,
)
from super_agent.core.state import private_folder

LEFTOVERS = (
    "objects/pack/tmp_*", "objects/pack/*.keep", "objects/tmp_*", "objects/??/tmp_*", "fast_import_crash_*",
    "**/*.lock", "*.part",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TakenSnapshot:
    """A snapshot: its commit, how many paths differ from the one before, what it took, and what it left out."""

    commit: str
    changed: int
    duration_s: float
    left_out: tuple[str, ...] = ()


class Snapshots(Closing):
    """The snapshots of one workspace; made by `open`, closed by its owner. Several processes may have it open."""

    def __init__(self, git: Git, workspace: Workspace, lock: int, limits: SnapshotLimits) -> None:
        self.git = git
        self.limits = limits
        self.workspace = workspace
        self._lock = lock
        self._index: Index | None = None
        self._left_out: list[str] = []
        self._saved = ""

    @classmethod
    def open(cls, state_dir: Path, workspace: Workspace, limits: SnapshotLimits = LIMITS) -> "Snapshots":
        """Open or make the shadow repository; raises `SnapshotFailed`."""
        folder = repository(state_dir, workspace.root)
        private_folder(state_dir, "shadow")
        try:
            lock = open_file(folder.with_suffix(".lock"))
            try:
                git = _cleaned(folder, lock)
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise _failed(workspace.root, error) from error
        return cls(git, workspace, lock, limits)

    def close(self) -> None:
        """Keep what the next process need not read again, and let go; idempotent."""
        if self._lock >= 0:
            with suppress(SnapshotFailed), locked(self._lock, wait_s=1.0):  # without it the next one reads more
                self._save()
            os.close(self._lock)
            self._lock = -1

    def take(self, session: str, name: str, tell: Tell = lambda _text: None) -> TakenSnapshot:
        """Snapshot the workspace as `name` of a session ("0", "1", … for turns); raises `SnapshotFailed`."""
        started, started_ns = time.monotonic(), time.time_ns()
        try:
            with locked(self._lock, tell):
                ref = f"refs/sessions/{session}/{len(self._refs(session)) + 1:06d}-{name}"
                taken = self._take(ref, started_ns, tell)
        except OSError as error:
            raise _failed(self.workspace.root, error) from error
        return replace(taken, duration_s=time.monotonic() - started)

    def at(self, session: str, name: str) -> str | None:
        """The commit of the newest snapshot of that name, or None."""
        return self.names(session).get(name)

    def names(self, session: str) -> dict[str, str]:
        """The snapshots of a session and their commits, in the order they were taken; of one name the newest."""
        found: dict[str, str] = {}
        for name, commit in self.all(session):
            found.pop(name, None)
            found[name] = commit
        return found

    def all(self, session: str) -> list[tuple[str, str]]:
        """Names and commits of all snapshots of a session, oldest first; a name may come again."""
        return [(ref.rsplit("/", 1)[-1].partition("-")[2], commit) for ref, commit in self._refs(session)]

    def note(self, commit: str) -> Note:
        """What a snapshot says beside its files; raises `SnapshotFailed`."""
        return Note.from_bytes(self.git.run("cat-file", "commit", commit).partition(b"\n\n")[2])

    def _refs(self, session: str) -> list[tuple[str, str]]:
        """Oldest first: their names begin with a number."""
        out = self.git.run("for-each-ref", "--format=%(refname) %(objectname)", f"refs/sessions/{session}").decode()
        return [(ref, commit) for ref, _, commit in (line.rpartition(" ") for line in out.splitlines())]

    def _take(self, ref: str, started_ns: int, tell: Tell) -> TakenSnapshot:
        index = self._index or self._load()
        now, left_out = kept(self.workspace.facts(), self.limits)
        changed = [path for path, seen in now.items() if index.files.get(path) != seen]
        new = sum(path not in index.files for path in changed)
        # With 50,000 files a pass over all names takes 20 ms, and mostly nothing is gone.
        gone = [path for path in index.files if path not in now] if len(now) - new < len(index.files) else []
        if not (changed or gone) and index.commit and left_out == self._left_out:
            self.git.run("update-ref", ref, index.commit)
            return TakenSnapshot(index.commit, 0, 0.0, tuple(left_out))
        work = PendingSnapshot(
            ref, index.commit, changed, gone, now, index.files, Note(set_modes(now), left_out), self.limits
        )
        self.git.feed("fast-import", "--quiet", "--done", "--force", pieces=pieces(self.workspace, work, tell))
        commit, differ = self.git.run("rev-parse", "--verify", ref).decode().strip(), len(now)
        if index.commit:
            out = self.git.run("diff-tree", "-r", "-z", "--name-only", index.commit, commit)
            differ = out.count(b"\0")
            if differ == 0 and self.note(index.commit) == work.note:  # only touched: the same snapshot
                commit = index.commit
                self.git.run("update-ref", ref, commit)
        self._index, self._left_out = Index.of(commit, now, changed, started_ns), work.note.left_out
        if not index.commit:
            self._save()
        return TakenSnapshot(commit, differ, 0.0, tuple(work.note.left_out))

    def _load(self) -> Index:
        index = Index.load(self.git.folder)
        try:
            if index.commit:
                self.git.run("cat-file", "-e", index.commit)
                if self.note(index.commit).skipped != Note().skipped:
                    return Index()  # of a version that did not look where this one does
        except SnapshotFailed:
            return Index()  # its commit is gone, so everything is read once more
        self._saved = index.commit
        return index

    def _save(self) -> None:
        """Not at each turn: with 50,000 files it takes longer than the snapshot."""
        if self._index is not None and self._index.commit != self._saved:
            with suppress(OSError):  # without it the next process reads everything once more
                self._index.save(self.git.folder)
            self._saved = self._index.commit


def repository(state_dir: Path, root: Path) -> Path:
    """Where the snapshots of the workspace `root` are kept, whether or not there are any."""
    return state_dir / "shadow" / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:24]}.git"


def _cleaned(folder: Path, lock: int) -> Git:
    """The repository, without what a process that was killed left; nobody else is at work under the lock."""
    if not (folder / "HEAD").exists():
        with locked(lock):
            return Git(folder, lock)
    with suppress(SnapshotFailed), locked(lock, wait_s=0.0):  # whoever holds it has cleaned
        for pattern in LEFTOVERS:
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
    return Git(folder, lock)


def _failed(root: Path, error: OSError) -> SnapshotFailed:
    reason = f"snapshot of {root}: {error.strerror or error}"
    return SnapshotFailed(reason, fix="Make room, or say --no-snapshots to go without undo")


def forget(state_dir: Path, root: Path, sessions: Collection[str]) -> None:
    """Remove the snapshots of sessions that worked in `root`, and what only they held; raises `SnapshotFailed`."""
    folder = repository(state_dir, root)
    if not sessions or not folder.exists():
        return
    lock = open_file(folder.with_suffix(".lock"))
    try:
        with locked(lock):
            git = Git(folder, lock)
            places = [f"refs/sessions/{session}" for session in sessions]
            refs = git.run("for-each-ref", "--format=delete %(refname)", *places)
            if refs:
                git.run("update-ref", "--stdin", given=refs)
                git.run("gc", "--quiet", "--prune=now")
    finally:
        os.close(lock)
