"""A snapshot in the language of `git fast-import`: the contents first, then the commit that names them."""

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from super_agent.core.errors import PathRefused
from super_agent.core.files.folders import SKIPPED_FOLDERS, ordinary_modes
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.index import Signature

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Sources and their test data are smaller; what is larger is data that a person keeps elsewhere."""
MAX_ALL_BYTES = 1024 * 1024 * 1024
"""Of all files together; the largest are left out until the rest is within it. Compressed in about half a minute."""
SKIPPED_ONCE = SKIPPED_FOLDERS | {".idea", ".vscode"}
"""What was skipped by a snapshot that does not say so."""
TELL_EVERY_FILES = 5000
LINK = stat.S_IFLNK | 0o777
"""What Linux says of every symbolic link."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """How much is kept: of one file, and of all together."""

    file_bytes: int = MAX_FILE_BYTES
    all_bytes: int = MAX_ALL_BYTES


LIMITS = SnapshotLimits()


@dataclass(slots=True)
class Note:
    """What git has no place for: permissions that somebody set, and files that were not kept. It is the message.

    `left_out` has files, and folders that could not be entered; `skipped` are names of folders whose content never is
    kept.
    """

    modes: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=lambda: sorted(SKIPPED_FOLDERS))

    def to_bytes(self) -> bytes:
        """As the commit's message."""
        return json.dumps({"left_out": self.left_out, "modes": self.modes, "skipped": self.skipped}).encode()

    @classmethod
    def from_bytes(cls, message: bytes) -> "Note":
        """From a commit's message; an empty one where it is none of ours."""
        try:
            data = json.loads(message)
            return cls(dict(data["modes"]), list(data["left_out"]), list(data.get("skipped", sorted(SKIPPED_ONCE))))
        except (ValueError, KeyError, TypeError):
            return cls()


class LeftOut:
    """The paths that any of some snapshots did not keep, so that none of them says what was there."""

    def __init__(self, *notes: Note) -> None:
        self._paths = {path for note in notes for path in note.left_out}
        self._names = {name for note in notes for name in note.skipped}

    def __contains__(self, path: str) -> bool:
        if self._paths and any(place in self._paths for place in path_and_parents(path)):
            return True
        return any(part in self._names for part in path.split("/")[:-1])


def path_and_parents(path: str) -> Iterator[str]:
    """A path and the folders it lies in."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


@dataclass(slots=True)
class PendingSnapshot:
    """What a snapshot has to do. `seen` loses the files that could not be read, and `note` gains them."""

    ref: str
    parent: str
    changed: list[str]
    gone: list[str]
    seen: dict[str, Signature]
    known: dict[str, Signature]
    note: Note
    limits: SnapshotLimits = LIMITS


def kept(seen: dict[str, Signature], limits: SnapshotLimits = LIMITS) -> tuple[dict[str, Signature], list[str]]:
    """What is within the limits, and the paths that are not, sorted; a folder is none that could be kept."""
    file, most = stat.S_IFREG, limits.file_bytes
    out = {p for p, f in seen.items() if f[1] > most or (f[2] & 0o170000 != file and not _is_kept_link(p, f))}
    total = sum([facts[1] for facts in seen.values()]) - sum(seen[path][1] for path in out)
    if total > limits.all_bytes:
        for path in sorted(seen, key=lambda path: (-seen[path][1], path)):
            if total <= limits.all_bytes:
                break
            if path not in out:
                out.add(path)
                total -= seen[path][1]
    return ({path: facts for path, facts in seen.items() if path not in out} if out else seen), sorted(out)


def set_modes(seen: dict[str, Signature]) -> dict[str, int]:
    """Permissions of regular files that are not what a new file has."""
    ordinary = {LINK, *(stat.S_IFREG | mode for mode in ordinary_modes())}
    return {path: facts[2] & 0o777 for path, facts in seen.items() if facts[2] not in ordinary}


def git_mode(mode: int) -> str:
    """As git writes it: a link, an executable file, or a file."""
    return "120000" if stat.S_ISLNK(mode) else "100755" if mode & stat.S_IXUSR else "100644"


def pieces(workspace: Workspace, work: PendingSnapshot, tell: Tell) -> Iterator[bytes]:
    """The stream. A file that went away or cannot be read is as if it were not there."""
    marks: dict[str, int] = {}
    for number, path in enumerate(work.changed, 1):
        if number % TELL_EVERY_FILES == 0:
            tell(f"snapshot of the workspace: {number:,} of {len(work.changed):,} files")
        try:
            content = content_of(workspace, path, work.seen[path], work.limits)
        except FileNotFoundError:
            del work.seen[path]
            continue
        except (OSError, PathRefused):
            del work.seen[path]
            work.note.left_out.append(path)
            continue
        marks[path] = number
        yield b"blob\nmark :%d\ndata %d\n" % (number, len(content))
        yield content
        yield b"\n"
    work.note.left_out.sort()
    yield from _commit(work, marks)


def _commit(work: PendingSnapshot, marks: dict[str, int]) -> Iterator[bytes]:
    message = work.note.to_bytes()
    who = f"super-agent <super-agent@localhost> {int(time.time())} +0000"
    yield f"commit {work.ref}\ncommitter {who}\ndata {len(message)}\n".encode() + message + b"\n"
    if work.parent:
        yield f"from {work.parent}\n".encode()
    unread = [path for path in work.changed if path not in marks and path in work.known]
    for path in (*work.gone, *unread):  # deletions first: a folder may now stand where a file was
        yield b"D %b\n" % quoted(path)
    for path, mark in marks.items():
        yield b"M %b :%d %b\n" % (git_mode(work.seen[path][2]).encode(), mark, quoted(path))
    yield b"done\n"


def content_of(workspace: Workspace, path: str, facts: Signature, limits: SnapshotLimits) -> bytes:
    """A file's content or a link's target; raises OSError."""
    if stat.S_ISLNK(facts[2]):
        return workspace.read_link(path)
    return workspace.read_entry(path, limits.file_bytes)


def _is_kept_link(path: str, facts: Signature) -> bool:
    """Newer versions of git take no link of this name into a tree."""
    return facts[2] == LINK and path.rpartition("/")[2].lower() != ".gitmodules"


def quoted(path: str) -> bytes:
    """A path as fast-import reads it."""
    raw = os.fsencode(path)
    if raw.startswith(b'"') or b"\n" in raw or b"\\" in raw:
        return b'"%b"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return raw
