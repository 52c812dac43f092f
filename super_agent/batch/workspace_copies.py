"""Fresh copies of workspaces. The user's folder is only read, by our own code: no git ever runs in it.

A repository's configuration can name programs (`core.fsmonitor`, hooks, filters) that a plain git command would start.
"""

import errno
import fcntl
import os
import shutil
import stat
import subprocess
from pathlib import Path

from super_agent.core.errors import UsageError

FICLONE = 0x40049409
"""From linux/fs.h: share the blocks of a file until one of both is written (btrfs, XFS, bcachefs)."""
NO_REFLINK = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def copy_folder(source: Path, target: Path, leave_out: Path) -> None:
    """Copy files, links, permissions and times; `leave_out` is a folder that may lie in `source`.

    What is neither file, folder nor link stays behind, and so does a `.git` that is a file or a link: it leads to a
    repository that is not copied. Links into `source` lead into the copy. Raises `UsageError`, or OSError for the disk.
    """
    try:
        if source.samefile(leave_out):
            raise UsageError(f"the workspace {source} is the batch's own folder", fix="Name another with --out")
        _copy(source, target, _Copy(os.fspath(source), os.fspath(target), leave_out.stat()))
    except RecursionError:
        raise UsageError(f"{source} has folders in folders without end", fix="Name another workspace") from None
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise UsageError(
            f"{error.filename or source} cannot be copied: {error.strerror or error}", fix="Make it readable for you"
        ) from error


class _Copy:
    def __init__(self, source: str, target: str, leave_out: os.stat_result) -> None:
        self.source, self.target = source, target
        self.left_out = (leave_out.st_dev, leave_out.st_ino)
        self.reflinks = True


def _copy(source: Path, target: Path, whole: _Copy) -> None:
    info = source.stat()
    target.mkdir(mode=0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            facts = entry.stat(follow_symlinks=False)
            there = target / entry.name
            if stat.S_ISDIR(facts.st_mode):
                if (facts.st_dev, facts.st_ino) != whole.left_out:
                    _copy(Path(entry.path), there, whole)
            elif entry.name == ".git":
                continue
            elif stat.S_ISLNK(facts.st_mode):
                os.symlink(_moved(os.readlink(entry.path), whole), there)
            elif stat.S_ISREG(facts.st_mode):
                _copy_file(entry.path, there, facts, whole)
    # Last: a folder may be read-only, and what is written in it changes its time.
    target.chmod(stat.S_IMODE(info.st_mode) | 0o700)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


def _moved(link: str, whole: _Copy) -> str:
    inside = link == whole.source or link.startswith(whole.source + "/")
    return whole.target + link[len(whole.source) :] if inside else link


def _copy_file(source: str, target: Path, facts: os.stat_result, whole: _Copy) -> None:
    with open(source, "rb", opener=_no_follow) as read, target.open("xb") as write:
        if not (whole.reflinks and _reflinked(read.fileno(), write.fileno(), whole)):
            shutil.copyfileobj(read, write, 1024 * 1024)
        os.fchmod(write.fileno(), stat.S_IMODE(facts.st_mode))
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _reflinked(read: int, write: int, whole: _Copy) -> bool:
    try:
        fcntl.ioctl(write, FICLONE, read)
    except OSError as error:
        if error.errno not in NO_REFLINK:
            raise
        whole.reflinks = False  # one disk does it for all files or for none
        return False
    return True


def _no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def remove_folder(path: Path) -> None:
    """Remove a copy, however deep its run has made it and whatever permissions it has set; raises OSError."""
    for first in ((), ("chmod", "-R", "u+rwX")):
        if first:
            subprocess.run([*first, "--", path], stderr=subprocess.DEVNULL, check=False)
        done = subprocess.run(["rm", "-rf", "--", path], stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return
    raise OSError(errno.EACCES, "cannot be removed", os.fspath(path))
