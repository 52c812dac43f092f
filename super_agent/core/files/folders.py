"""What the workspace does inside one open folder; no symbolic link is followed and nothing outside it is reached."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass

from super_agent.core.errors import PathRefused

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Made by tools and not worth a model's attention or a place in a list of changes; people's settings are not among them.
SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache",
     ".ruff_cache", ".tox", ".nox", ".hypothesis"}
)  # fmt: skip
WorkspaceState = dict[str, tuple[int, int, int, int]]
"""Of each file: inode, size in bytes, mode, and time of its last change in nanoseconds."""
MAX_DEPTH = 2000
"""Folders below one another; git reads 2,048 (`core.maxTreeDepth`)."""
OPEN_LEVELS = 32
"""Held open at a time; a usual limit is 1,024 descriptors, and some systems give 256."""


@dataclass(slots=True)
class _Level:
    """A folder on the way down: its descriptor (-1 while it is shut), what it is, and what is to be entered."""

    fd: int
    prefix: str
    identity: tuple[int, int]
    inner: list[str]


def collect(folder: int, found: WorkspaceState) -> None:
    """Add regular files and links to `found`, `.git` of any kind and folders that tools make left out.

    A folder that cannot be entered, as it is too deep or closed to us, is added itself: nobody knows what it holds.
    However deep it goes, few folders are open at a time and none is reached by a name that could lead elsewhere; raises
    `PathRefused` where one was moved meanwhile.
    """
    levels = [_entered(os.dup(folder), "", found)]
    try:
        while levels:
            level = levels[-1]
            if not level.inner:
                _leave(levels)
                continue
            name = level.inner.pop()
            try:
                fd = -1 if len(levels) >= MAX_DEPTH else os.open(name, FOLDER, dir_fd=level.fd)
                if fd >= 0:
                    levels.append(_entered(fd, f"{level.prefix}{name}/", found))
                    if len(levels) > OPEN_LEVELS:
                        _shut(levels[-OPEN_LEVELS - 1])
                    continue
            except (FileNotFoundError, NotADirectoryError):
                continue  # it went away or changed its kind while we looked
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.ELOOP):
                    raise
            _add_closed(level, name, found)
    finally:
        for level in levels:
            _shut(level)


def _entered(fd: int, prefix: str, found: WorkspaceState) -> _Level:
    """One loop without a call of ours for each file: this is most of what a turn's snapshot costs."""
    inner = []
    try:
        info = os.fstat(fd)
        with os.scandir(fd) as entries:
            for entry in entries:
                name = entry.name
                if len(name) == 4 and name.lower() == ".git":
                    continue  # a folder, a link, or the file of a submodule, however it is spelt
                try:
                    if not entry.is_dir(follow_symlinks=False):
                        facts = entry.stat(follow_symlinks=False)
                        if stat.S_IFMT(facts.st_mode) in (stat.S_IFREG, stat.S_IFLNK):
                            found[prefix + name] = (facts.st_ino, facts.st_size, facts.st_mode, facts.st_ctime_ns)
                    elif name not in SKIPPED_FOLDERS:
                        inner.append(name)
                except (FileNotFoundError, NotADirectoryError, PermissionError):
                    continue
    except BaseException:
        os.close(fd)
        raise
    return _Level(fd, prefix, (info.st_dev, info.st_ino), inner)


def _leave(levels: list[_Level]) -> None:
    """Back to the folder above, opened again where it was shut: it has to be the one we came from."""
    done = levels.pop()
    try:
        if levels and levels[-1].fd < 0:
            above = levels[-1]
            above.fd = os.open("..", FOLDER, dir_fd=done.fd)
            info = os.fstat(above.fd)
            if (info.st_dev, info.st_ino) != above.identity:
                raise PathRefused(f"{above.prefix} was moved while it was read")
    finally:
        _shut(done)


def _shut(level: _Level) -> None:
    if level.fd >= 0:
        os.close(level.fd)
        level.fd = -1


def _add_closed(level: _Level, name: str, found: WorkspaceState) -> None:
    try:
        facts = os.stat(name, dir_fd=level.fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(facts.st_mode):
        found[level.prefix + name] = (facts.st_ino, 0, facts.st_mode, facts.st_ctime_ns)


def make_folder(name: str, parent: int) -> None:
    """Make it unless it is there."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return


def mode_of(name: str, folder: int, *, refuse_others: bool = False) -> int:
    """The permissions of the regular file that stands there, else those of a new one."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return 0o666 & ~_umask()
    if stat.S_ISREG(info.st_mode):
        return stat.S_IMODE(info.st_mode)
    if refuse_others:
        raise OSError(errno.ELOOP, "not a regular file")
    return 0o666 & ~_umask()


def read_whole(fd: int, size: int, limit_bytes: int) -> bytes:
    """What is read until the end, however the file grows meanwhile; most are read by two calls."""
    pieces, count = [], 0
    while piece := os.read(fd, max(size - count, 0) + 1):
        pieces.append(piece)
        count += len(piece)
        if count > limit_bytes:
            raise OSError(errno.EFBIG, "it has grown too large")
    return b"".join(pieces)


def ordinary_mode_of(name: str, folder: int) -> int:
    """The permissions of the regular file that stands there, where nobody set any; else those of a new one."""
    mode = mode_of(name, folder)
    return mode if mode in ordinary_modes() else 0o666 & ~_umask()


def ordinary_modes() -> frozenset[int]:
    """Permissions that files have when nobody set any."""
    usual = {0o644, 0o755, 0o664, 0o775}
    return frozenset(usual | {0o666 & ~_umask(), 0o777 & ~_umask()})


def write_beside(folder: int, name: str, data: bytes, mode: int) -> None:
    """Write a new file and rename it to its place, so that it is there whole or not at all."""
    temporary = _temporary_name()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            _keep_attributes(fd, name, folder)
            os.fchmod(fd, mode)
            os.fsync(fd)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise


def _keep_attributes(fd: int, name: str, folder: int) -> None:
    """Owner, group, extended attributes and ACLs of the regular file that stands there, as far as we may set them."""
    try:
        old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return  # nothing stands there, or nothing that can be read
    try:
        info, own = os.fstat(old), os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return
        for uid, gid in ((info.st_uid, -1), (-1, info.st_gid)):
            if (uid, gid) not in ((own.st_uid, -1), (-1, own.st_gid)):
                with suppress(PermissionError):  # only root gives files away; the group has to be one of ours
                    os.fchown(fd, uid, gid)
        with suppress(OSError):  # a file system without them
            for attribute in os.listxattr(old):
                with suppress(OSError):  # one that only root may set
                    os.setxattr(fd, attribute, os.getxattr(old, attribute))
    finally:
        os.close(old)


def link_beside(folder: int, name: str, target: bytes) -> None:
    """Make a new symbolic link and rename it to its place."""
    temporary = _temporary_name()
    os.symlink(os.fsdecode(target), temporary, dir_fd=folder)
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _temporary_name() -> str:
    return f".super-agent.{secrets.token_hex(8)}"


def _umask() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
