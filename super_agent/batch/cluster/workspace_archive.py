"""Workspaces on their way to a node: packed once for all tasks that share one, unpacked once on each node."""

import io
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from super_agent.core.errors import UsageError

MAX_BYTES = 1024 * 1024 * 1024
"""Of one archive, which the driver and Ray hold in memory."""


class _Bounded(io.BytesIO):
    def write(self, data: object, /) -> int:
        if self.tell() > MAX_BYTES:
            raise UsageError(
                f"it is more than {MAX_BYTES >> 20} MiB when it is packed", fix="Leave out what the task does not need"
            )
        return super().write(data)  # type: ignore[arg-type]


def pack(folder: Path) -> bytes:
    """A compressed archive of a copy that nobody writes in; absolute links into it become relative ones.

    Raises `UsageError` where it is too large, OSError.
    """
    root = os.fspath(folder)

    def relative(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        if entry.issym() and (entry.linkname == root or entry.linkname.startswith(root + "/")):
            entry.linkname = os.path.relpath(entry.linkname, os.path.dirname(os.path.join(root, entry.name)))
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    buffer = _Bounded()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=".", filter=relative)
    return buffer.getvalue()


def unpack(data: bytes, target: Path) -> None:
    """Unpack to `target`, whole or not at all; nothing is done where it is there. Raises OSError."""
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=".part-"))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            archive.extractall(part / "whole", filter="tar")
        try:
            (part / "whole").rename(target)
        except OSError:
            if not target.is_dir():  # else another task of this node was quicker
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
