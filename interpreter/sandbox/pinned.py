"""Files and folders held open by what they are, so that a name which code repoints later leads nowhere else."""

import os
import stat
import weakref
from collections.abc import Sequence
from pathlib import Path


class Pinned:
    """A file or folder as it was when a policy was made; `path` is where it is shown inside the sandbox."""

    def __init__(self, path: Path, fd: int, *, writable: bool = False) -> None:
        """Takes over `fd`, which is closed when nobody holds the object any more."""
        info = os.fstat(fd)
        self.path = path
        self.fd = fd
        self.writable = writable
        self.identity = (info.st_dev, info.st_ino)
        self.mode = info.st_mode
        weakref.finalize(self, os.close, fd)

    def is_in_place(self) -> bool:
        """Whether its name still leads to it: for a clear message, never for protection."""
        try:
            info = os.stat(self.path, follow_symlinks=not stat.S_ISLNK(self.mode))
        except OSError:
            return False
        return (info.st_dev, info.st_ino) == self.identity

    def read(self, limit_bytes: int) -> bytes:
        """The beginning of a regular file; raises OSError."""
        with open(f"/proc/self/fd/{self.fd}", "rb") as file:
            return file.read(limit_bytes)


def pin(path: Path, *, writable: bool = False) -> Pinned:
    """What `path` leads to now; raises OSError."""
    return Pinned(path, os.open(path, os.O_PATH | os.O_CLOEXEC), writable=writable)


def pin_within(folder: Pinned, parts: Sequence[str]) -> list[Pinned]:
    """What lies below a pinned folder: each step of the way, the last one last. No link is followed.

    The steps before the last are writable. Raises OSError, also for a step that is no folder.
    """
    steps: list[Pinned] = []
    for count, name in enumerate(parts, 1):
        above = steps[-1] if steps else folder
        if not stat.S_ISDIR(above.mode):
            raise NotADirectoryError(f"{above.path} is no folder")
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above.fd)
        steps.append(Pinned(above.path / name, fd, writable=count < len(parts)))
    return steps
