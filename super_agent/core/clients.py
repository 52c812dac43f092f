"""Who uses the model: each client object of ours holds a locked file for as long as it lives.

The kernel drops the lock when the process dies, however it dies, so there are no stale entries and no pid reuse.
"""

import fcntl
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from super_agent.core.gate import ClientKind
from super_agent.core.settings import Settings
from super_agent.core.state import private_folder


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One client of ours that is alive now; `since` is seconds since the epoch."""

    kind: ClientKind
    pid: int
    model: str
    server: str
    since: float


class ClientLock:
    """Registers one client until `close` (or the death of the process)."""

    def __init__(self, settings: Settings, kind: ClientKind) -> None:
        folder = private_folder(private_folder(settings.state_dir) / "clients")
        self._path = folder / f"{kind}-{os.getpid()}-{secrets.token_hex(3)}.json"
        entry = ClientEntry(kind, os.getpid(), settings.model, settings.base_url, time.time())
        unlisted = self._path.with_suffix(".new")
        self._fd = os.open(unlisted, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        os.write(self._fd, json.dumps(asdict(entry)).encode())
        unlisted.rename(self._path)  # listed only once it is locked and whole

    def close(self) -> None:
        """Remove the entry; idempotent."""
        if self._fd >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


def live_clients(state_dir: Path) -> tuple[ClientEntry, ...]:
    """Every client of ours that is alive on this machine for this user, oldest first; dead entries are removed."""
    found: list[ClientEntry] = []
    for path in sorted((state_dir / "clients").glob("*.json")):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found.append(ClientEntry(**json.loads(os.read(fd, 65536))))
        else:
            path.unlink(missing_ok=True)  # nobody holds it: its process died
        finally:
            os.close(fd)
    return tuple(sorted(found, key=lambda entry: entry.since))
