"""What the workspace does inside one open folder; no symbolic link is followed and nothing outside it is reached."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator

# Made by tools and not worth a model's attention or a place in a list of changes.
SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache",
     ".ruff_cache", ".tox", ".nox", ".hypothesis", ".idea", ".vscode"}
)  # fmt: skip
State = dict[str, tuple[int, int, int, int]]
"""Of each file: inode, size in bytes, mode, and time of its last change in nanoseconds."""


def walk(folder: int, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Regular files in sorted order, each with its facts; folders that tools make are left out."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        try:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(info.st_mode):
                yield prefix + entry.name, info
            elif stat.S_ISDIR(info.st_mode) and entry.name not in SKIPPED_FOLDERS:
                inner = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    yield from walk(inner, f"{prefix}{entry.name}/")
                finally:
                    os.close(inner)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # it went away or changed its kind while we looked


def collect(folder: int, prefix: str, found: State) -> None:
    """Add regular files and links to `found`, `.git` of any kind and folders that tools make left out.

    One loop without a call of ours for each file: this is most of what a turn's snapshot costs.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if len(name) == 4 and name.lower() == ".git":
                continue  # a folder, a link, or the file of a submodule, however it is spelt
            try:
                if not entry.is_dir(follow_symlinks=False):
                    info = entry.stat(follow_symlinks=False)
                    if stat.S_IFMT(info.st_mode) in (stat.S_IFREG, stat.S_IFLNK):
                        found[prefix + name] = (info.st_ino, info.st_size, info.st_mode, info.st_ctime_ns)
                elif name not in SKIPPED_FOLDERS:
                    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                    try:
                        collect(inner, f"{prefix}{name}/", found)
                    finally:
                        os.close(inner)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # it went away or changed its kind while we looked


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
            os.fchmod(fd, mode)
            os.fsync(fd)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise


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
