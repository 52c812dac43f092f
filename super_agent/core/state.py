"""The state folder: one private folder for sessions (originals, whole outputs) and client locks."""

import hashlib
import os
import secrets
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from super_agent.core.errors import SettingInvalid, StoreFailed


def new_session_id(now: datetime) -> str:
    """A sortable, unique name such as `20260905-141502-3fa9`."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def private_folder(path: Path, *inside: str) -> Path:
    """Make a folder, and those `inside` it one in the other, with mode 0700 where they are missing; returns the last.

    Raises `SettingInvalid` when one cannot be written.
    """
    if inside:
        return private_folder(private_folder(path) / inside[0], *inside[1:])
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "it cannot be written")
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingInvalid(
            f"the state folder {path}: {reason}", fix="Set SUPER_AGENT_STATE_DIR to another"
        ) from error
    return path


class SessionFolder:
    """One session's part of the state folder."""

    def __init__(self, state_dir: Path, session: str) -> None:
        self.session = session
        self.path = private_folder(state_dir, "sessions", session)

    def save_original(self, path: str, data: bytes | None) -> None:
        """Keep a workspace file's content from before its first write; later calls for the same path do nothing.

        Named by the path's hash, so that no workspace path can lead elsewhere; None records that there was no file.
        Raises `StoreFailed` where it cannot be written: the file must then not be written either.
        """
        try:
            self._save_original(path, data)
        except OSError as error:
            raise StoreFailed(
                f"the original of {path} cannot be kept in {self.path}: {error.strerror}", fix="Make room on the disk"
            ) from error

    def _save_original(self, path: str, data: bytes | None) -> None:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
        index = private_folder(self.path / "originals") / "index.tsv"
        known = index.read_text(encoding="utf-8", errors="surrogateescape").splitlines() if index.exists() else []
        if any(line.startswith(name) for line in known):
            return
        if data is not None:
            write_durably(index.with_name(name), data)
        line = f"{name}\t{'absent' if data is None else 'saved'}\t{path}\n"
        write_durably(index, ("".join(f"{k}\n" for k in known) + line).encode("utf-8", "surrogateescape"))

    def outputs(self) -> Path:
        """The folder for whole outputs of commands."""
        return private_folder(self.path / "outputs")


class Heartbeat:
    """Says, by the time of a file's last change, when a run was last alive; from start to `close`.

    After a kill it tells what the run itself changed last from what somebody changed later.
    """

    EVERY_S = 0.5

    def __init__(self, folder: SessionFolder) -> None:
        self._path = folder.path / "alive"
        self._ended = threading.Event()
        self._path.touch(mode=0o600)
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; idempotent."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self.EVERY_S):
            with suppress(OSError):  # a folder that is gone tells nothing either
                os.utime(self._path)


def last_alive(folder: SessionFolder) -> float:
    """When the session's run was last alive, in seconds since the epoch, on the late side; 0 where nothing tells."""
    try:
        return (folder.path / "alive").stat().st_mtime + 2 * Heartbeat.EVERY_S
    except FileNotFoundError:
        return 0.0


def write_durably(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all, whatever ends the process."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
