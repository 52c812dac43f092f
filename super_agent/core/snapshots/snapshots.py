"""One shadow repository for each workspace, one commit for each turn of a session.

Kept are regular files (exact bytes, executable bit) and symbolic links. Not kept, and so not reversible: what lies in
`.git` or in folders that tools make (`SKIPPED_FOLDERS`), files above `MAX_FILE_BYTES`, empty folders.
"""

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.errors import PathRefused, SnapshotFailed
from super_agent.core.snapshots.git import Git
from super_agent.core.snapshots.index import UNKNOWN, Index, Signature, signature
from super_agent.core.state import private_folder
from super_agent.core.workspace import Workspace

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Sources and their test data are smaller; what is larger is data that a person keeps elsewhere."""
TELL_EVERY_FILES = 5000
LEFTOVERS = ("objects/pack/tmp_*", "objects/tmp_*", "objects/??/tmp_*", "fast_import_crash_*", "**/*.lock", "*.part")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot: its commit, how many paths differ from the one before, what it took, and what it left out."""

    commit: str
    changed: int
    duration_s: float
    left_out: tuple[str, ...] = ()


class Snapshots:
    """The snapshots of one workspace; made by `open`, closed by its owner. Several processes may have it open."""

    def __init__(self, git: Git, workspace: Workspace, lock: int) -> None:
        self.git = git
        self.workspace = workspace
        self._lock = lock
        self._index: Index | None = None
        self._saved = ""

    @classmethod
    def open(cls, state_dir: Path, workspace: Workspace) -> "Snapshots":
        """Open or make the shadow repository; raises `SnapshotFailed`."""
        name = hashlib.sha256(os.fsencode(workspace.root)).hexdigest()[:24]
        folder = private_folder(private_folder(state_dir) / "shadow") / f"{name}.git"
        lock = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _locked(lock):
                git = Git(folder)
                for pattern in LEFTOVERS:  # of a process that was killed; nobody else is at work under the lock
                    for path in folder.glob(pattern):
                        path.unlink(missing_ok=True)
        except BaseException:
            os.close(lock)
            raise
        return cls(git, workspace, lock)

    def close(self) -> None:
        """Keep what the next process need not read again, and let go; idempotent."""
        if self._lock >= 0:
            with _locked(self._lock):
                self._save()
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "Snapshots":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, session: str, name: str, tell: Tell = lambda _text: None) -> Taken:
        """Snapshot the workspace as `name` of a session ("0", "1", … for turns); raises `SnapshotFailed`."""
        started, started_ns = time.monotonic(), time.time_ns()
        try:
            with _locked(self._lock):
                ref = f"refs/sessions/{session}/{len(self._refs(session)) + 1:06d}-{name}"
                commit, changed, left_out = self._take(ref, started_ns, tell)
        except OSError as error:
            reason = f"snapshot of {self.workspace.root}: {error.strerror or error}"
            raise SnapshotFailed(reason, fix="Make room, or say --no-snapshots to go without undo") from error
        return Taken(commit, changed, time.monotonic() - started, left_out)

    def at(self, session: str, name: str) -> str | None:
        """The commit of the newest snapshot of that name, or None."""
        return self.names(session).get(name)

    def names(self, session: str) -> dict[str, str]:
        """The snapshots of a session and their commits, in the order they were taken; of one name the newest."""
        found: dict[str, str] = {}
        for ref, commit in self._refs(session):
            name = ref.rsplit("/", 1)[-1].partition("-")[2]
            found.pop(name, None)
            found[name] = commit
        return found

    def forget(self, session: str) -> None:
        """Remove a session's snapshots; what only they held goes with the next `git gc`."""
        lines = "".join(f"delete {ref}\n" for ref, _commit in self._refs(session))
        with _locked(self._lock):
            self.git.run("update-ref", "--stdin", given=lines.encode())

    def _refs(self, session: str) -> list[tuple[str, str]]:
        """Oldest first: their names begin with a number."""
        out = self.git.run("for-each-ref", "--format=%(refname) %(objectname)", f"refs/sessions/{session}").decode()
        return [(ref, commit) for ref, _, commit in (line.rpartition(" ") for line in out.splitlines())]

    def _take(self, ref: str, started_ns: int, tell: Tell) -> tuple[str, int, tuple[str, ...]]:
        index = self._index or self._load()
        left_out: list[str] = []
        now: dict[str, Signature] = {}
        for path, info in self.workspace.entries():
            if info.st_size > MAX_FILE_BYTES:
                left_out.append(path)
            else:
                now[path] = signature(info)
        changed = [path for path, seen in now.items() if index.files.get(path) != seen]
        gone = [path for path in index.files if path not in now]
        if changed or gone or not index.commit:
            pieces = self._stream(ref, index.commit, changed, gone, now, tell)
            self.git.feed("fast-import", "--quiet", "--done", "--force", pieces=pieces)
            commit = self.git.run("rev-parse", "--verify", ref).decode().strip()
            self._index = Index.of(commit, now, started_ns)
            if not index.commit:
                self._save()
        else:
            commit = index.commit
            self.git.run("update-ref", ref, commit)
        return commit, len(changed) + len(gone), tuple(left_out)

    def _load(self) -> Index:
        index = Index.load(self.git.folder)
        try:
            if index.commit:
                self.git.run("cat-file", "-e", index.commit)
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

    def _stream(
        self, ref: str, parent: str, changed: list[str], gone: list[str], now: dict[str, Signature], tell: Tell
    ) -> Iterator[bytes]:
        """A commit in the language of `git fast-import`."""
        who = f"super-agent <super-agent@localhost> {int(time.time())} +0000"
        yield f"commit {ref}\ncommitter {who}\ndata 0\n".encode()
        if parent:
            yield f"from {parent}\n".encode()
        for path in gone:
            yield b"D %b\n" % _quoted(path)
        for number, path in enumerate(changed, 1):
            if number % TELL_EVERY_FILES == 0:
                tell(f"snapshot of the workspace: {number:,} of {len(changed):,} files")
            try:
                mode, content = self._content(path, now[path])
            except (OSError, PathRefused):
                now[path] = UNKNOWN  # it went away, changed its kind or cannot be read: as if it were not there
                yield b"D %b\n" % _quoted(path)
                continue
            yield b"M %b inline %b\ndata %d\n" % (mode, _quoted(path), len(content))
            yield content
            yield b"\n"
        yield b"done\n"

    def _content(self, path: str, seen: Signature) -> tuple[bytes, bytes]:
        if stat.S_ISLNK(seen[2]):
            return b"120000", self.workspace.read_link(path)
        with self.workspace.open_entry(path) as file:
            return b"100755" if seen[2] & stat.S_IXUSR else b"100644", file.read(MAX_FILE_BYTES)


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path)
    if raw.startswith(b'"') or b"\n" in raw or b"\\" in raw:
        return b'"%b"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return raw


@contextmanager
def _locked(lock: int) -> Iterator[None]:
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
