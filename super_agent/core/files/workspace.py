"""The workspace: the only module that opens paths in it (`folders` does the work inside one folder).

Model-written code can write there at any moment, so every path is walked component by component from an open
descriptor of the root, and no symlink is followed on the way.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from super_agent.core.closing import HoldsDescriptor
from super_agent.core.errors import PathRefused, WorkspaceRefused
from super_agent.core.files.folders import (
    SKIPPED_FOLDERS,
    WorkspaceState,
    collect,
    link_beside,
    make_folder,
    mode_of,
    ordinary_mode_of,
    read_whole,
    write_beside,
)
from super_agent.core.files.links import Link, first_link

MAX_READ_BYTES = 10 * 1024 * 1024
"""A file larger than this is not text that a model can use; it is listed, never read."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two states; paths relative to the workspace, sorted."""

    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.modified or self.deleted)

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.created, *self.modified, *self.deleted}))


class Workspace(HoldsDescriptor):
    """A folder that a run may read and change, held open from start to `close`."""

    def __init__(self, root: Path, *, protected: tuple[Path, ...] = ()) -> None:
        """Open `root`; raises `WorkspaceRefused` for `/`, the home folder, and around or in a `protected` one."""
        self.root = _accepted_root(root, protected)
        self._fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)

    def read_bytes(self, path: str) -> bytes | None:
        """A regular file's content, or None where there is no file; raises `PathRefused` (also above 10 MiB)."""
        try:
            with self._folder_of(path, make=False) as (folder, name):
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused(path, error) from error
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)  # a file object cannot be made of a folder's descriptor
            raise PathRefused(f"{path} is {'a folder' if stat.S_ISDIR(info.st_mode) else 'not a regular file'}")
        with os.fdopen(fd, "rb") as file:
            if info.st_size > MAX_READ_BYTES:
                raise PathRefused(f"{path} has {info.st_size} bytes, more than {MAX_READ_BYTES}")
            return file.read(MAX_READ_BYTES)

    def read_text(self, path: str) -> str | None:
        """The file as UTF-8 with its line endings kept, or None; raises `PathRefused` where it is not text."""
        data = self.read_bytes(path)
        if data is None:
            return None
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PathRefused(f"{path} is not UTF-8 text") from error

    def write_bytes(self, path: str, data: bytes) -> None:
        """Replace or create a file atomically, keeping its mode; raises `PathRefused`, also for folders of tools."""
        of_tools = [part for part in checked_parts(path)[:-1] if part in SKIPPED_FOLDERS]
        if of_tools:  # no snapshot would hold it, so no undo could take it back
            raise PathRefused(f"{path} lies in {of_tools[0]}, a folder that tools make, which is not to be written")
        try:
            with self._folder_of(path, make=True) as (folder, name):
                write_beside(folder, name, data, mode_of(name, folder, refuse_others=True))
        except OSError as error:
            raise self._refused(path, error) from error

    def files(self) -> Iterator[str]:
        """Regular files, relative paths in sorted order; folders that tools make are left out."""
        yield from self.files_and_links()[0]

    def files_and_links(self) -> tuple[list[str], list[str]]:
        """Regular files, and symbolic links wherever they lead; both as `files`."""
        modes = {path: seen[2] for path, seen in self.facts().items()}
        paths = sorted(modes, key=lambda path: path.split("/"))
        return [p for p in paths if stat.S_ISREG(modes[p])], [p for p in paths if stat.S_ISLNK(modes[p])]

    def link_on(self, path: str) -> Link | None:
        """The first symbolic link on the way of a path, which is why it is refused; None where there is none."""
        return first_link(self.read_link, PurePosixPath(self.root), path)

    def state(self) -> WorkspaceState:
        """What `changes_since` compares: cheap facts of every file, none of them read."""
        return {path: seen for path, seen in self.facts().items() if stat.S_ISREG(seen[2])}

    def changes_since(self, before: WorkspaceState) -> Changes:
        """What was created, modified or deleted since `before` was taken."""
        now = self.state()
        return Changes(
            created=tuple(sorted(now.keys() - before.keys())),
            modified=tuple(sorted(p for p in now.keys() & before.keys() if now[p] != before[p])),
            deleted=tuple(sorted(before.keys() - now.keys())),
        )

    # ── for snapshots: every name that a file system can hold, as `facts` gives it ──

    def facts(self) -> WorkspaceState:
        """Of regular files and symbolic links, none of them read; folders that tools make and any `.git` are left out.

        A folder is among them where it cannot be entered, so that nobody knows what lies in it.
        Bytes of a name that are not UTF-8 are escaped as Python's file functions do it (`os.fsencode` undoes it).
        """
        found: WorkspaceState = {}
        collect(self._fd, found)
        return found

    def facts_of(self, path: str) -> tuple[int, int, int, int] | None:
        """The same of one path, whatever stands there; None where nothing does. Raises OSError."""
        try:
            with self._folder_in(_raw_parts(path), make=False) as (folder, name):
                info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return info.st_ino, info.st_size, info.st_mode, info.st_ctime_ns

    def changed_ns(self) -> int:
        """When the folder itself was last changed, as the last of `facts`."""
        return os.fstat(self._fd).st_ctime_ns

    def read_entry(self, path: str, limit_bytes: int) -> bytes:
        """A regular file's content; raises OSError, also where it is no regular file any more or is larger."""
        with self._folder_in(_raw_parts(path), make=False) as (folder, name):
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            return read_whole(fd, info.st_size, limit_bytes)
        finally:
            os.close(fd)

    def read_start(self, path: str, limit_bytes: int) -> bytes:
        """The first bytes of a regular file; raises OSError, also where it is none, and `PathRefused`."""
        with self._folder_in(_raw_parts(path), make=False) as (folder, name):
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            return os.read(fd, limit_bytes)
        finally:
            os.close(fd)

    def read_link(self, path: str) -> bytes:
        """Where a symbolic link points to; raises OSError."""
        with self._folder_in(_raw_parts(path), make=False) as (folder, name):
            return os.fsencode(os.readlink(name, dir_fd=folder))

    def put_entry(self, path: str, content: bytes, *, executable: bool, mode: int | None = None) -> None:
        """Write a regular file in the place of a file or a link; raises `PathRefused`.

        Without `mode` the permissions are the usual ones: those of the file that stood there unless somebody set them.
        """
        try:
            with self._folder_in(_raw_parts(path), make=True) as (folder, name):
                if mode is None:
                    mode = ordinary_mode_of(name, folder)
                    mode = mode | (mode & 0o444) >> 2 if executable else mode & ~0o111
                write_beside(folder, name, content, mode)
        except OSError as error:
            raise self._refused(path, error) from error

    def put_link(self, path: str, target: bytes) -> None:
        """Make a symbolic link in the place of a file or a link; raises `PathRefused`."""
        try:
            with self._folder_in(_raw_parts(path), make=True) as (folder, name):
                link_beside(folder, name, target)
        except OSError as error:
            raise self._refused(path, error) from error

    def remove_entry(self, path: str) -> None:
        """Delete a file or a link, and the folders that it leaves empty; raises `PathRefused`."""
        parts = _raw_parts(path)
        try:
            with self._folder_in(parts, make=False) as (folder, name):
                os.unlink(name, dir_fd=folder)
            for depth in range(len(parts) - 1, 0, -1):
                with self._folder_in(parts[:depth], make=False) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise self._refused(path, error) from error

    def _refused(self, path: str, error: OSError) -> PathRefused:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            if link := self.link_on(path):
                return PathRefused(link.refusal_of(path))
            return PathRefused(f"{path} is no regular file, or leads through one")
        if error.errno in (errno.EISDIR,):
            return PathRefused(f"{path} is a folder")
        return PathRefused(f"{path} cannot be used: {error.strerror or error}")

    def _folder_of(self, path: str, *, make: bool) -> AbstractContextManager[tuple[int, str]]:
        return self._folder_in(checked_parts(path), make=make)

    @contextmanager
    def _folder_in(self, parts: tuple[str, ...], *, make: bool) -> Iterator[tuple[int, str]]:
        fd = os.dup(self._fd)
        try:
            for part in parts[:-1]:
                if make:
                    make_folder(part, fd)
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd, parts[-1]
        finally:
            os.close(fd)


def checked_parts(path: str) -> tuple[str, ...]:
    """The components of a relative path; raises `PathRefused` for absolute ones, `..`, `.git` and empty ones."""
    if not path or "\0" in path or "\\" in path or any(ord(c) < 32 for c in path):
        raise PathRefused(f"{path!r} is not a usable path")
    pure = PurePosixPath(path)
    if pure.is_absolute() or path.startswith("~"):
        raise PathRefused(f"{path} is absolute; paths are relative to the workspace")
    parts = pure.parts
    if not parts or ".." in parts or path.endswith("/"):
        raise PathRefused(f"{path} does not name a file inside the workspace")
    if any(part.lower() == ".git" for part in parts):
        raise PathRefused(f"{path} lies in .git, which is not to be written")
    if any(len(os.fsencode(part)) > 255 for part in parts):
        raise PathRefused(f"{path[:40]}… has a name longer than 255 bytes")
    return parts


def _raw_parts(path: str) -> tuple[str, ...]:
    """The components of a path as `facts` gives it; raises `PathRefused` for what it never gives."""
    parts = tuple(path.split("/"))
    if "\0" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise PathRefused(f"{path!r} is not a path of a snapshot")
    return parts


def _accepted_root(root: Path, protected: tuple[Path, ...]) -> Path:
    fix = "Choose a project folder with --workspace"
    try:
        real = root.expanduser().resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise WorkspaceRefused(f"the workspace {root} does not exist", fix=f"Create it: mkdir -p {root}") from None
    except (OSError, RuntimeError) as error:
        raise WorkspaceRefused(f"the workspace {root} cannot be opened: {error}", fix=fix) from error
    if not real.is_dir():
        raise WorkspaceRefused(f"the workspace {root} is not a folder", fix=fix)
    home = Path.home().resolve()
    if real == Path("/") or real == home or real in home.parents:
        raise WorkspaceRefused(f"the workspace {real} is the home folder or holds it", fix=fix)
    for folder in protected:
        inner = folder.resolve()
        if inner == real or real in inner.parents:
            raise WorkspaceRefused(f"the workspace {real} holds {inner}, which belongs to the running program", fix=fix)
        if inner in real.parents:
            raise WorkspaceRefused(
                f"the workspace {real} lies in {inner}, which belongs to the running program", fix=fix
            )
    if not os.access(real, os.R_OK | os.W_OK | os.X_OK) or os.statvfs(real).f_flag & os.ST_RDONLY:
        raise WorkspaceRefused(f"the workspace {real} cannot be written", fix="Make it writable or choose another")
    return real
