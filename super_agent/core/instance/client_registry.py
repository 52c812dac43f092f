"""Who uses the model: each client object of ours holds a locked file for as long as it lives.

The kernel drops the lock when the process dies, however it dies, so there are no stale entries and no pid reuse.
"""

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import StoreFailed
from super_agent.core.locks import alive, list_alive, unlist
from super_agent.core.model.middleware import Usage
from super_agent.core.settings import Settings
from super_agent.core.state import private_folder

ENTRY_BYTES = 1024
"""An entry has some 200 bytes; model names and URLs may be longer than usual."""


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One client of ours that is alive now; `since` is seconds since the epoch, tokens are prompts and replies."""

    kind: ClientKind
    pid: int
    model: str
    server: str
    since: float
    requests: int = 0
    tokens: int = 0


class ClientLock:
    """Registers one client until `close` (or the death of the process)."""

    def __init__(self, settings: Settings, kind: ClientKind) -> None:
        """Raises `StoreFailed`."""
        folder = private_folder(settings.state_dir, "clients")
        self._path = folder / f"{kind}-{os.getpid()}-{secrets.token_hex(3)}.json"
        self._entry = ClientEntry(kind, os.getpid(), settings.model, settings.base_url, time.time())
        try:
            self._fd = list_alive(self._path, self._data())
        except OSError as error:
            fix = "Make room on the disk, or see whether it is failing"
            raise StoreFailed(f"the list of clients in {folder}: {error.strerror}", fix=fix) from error

    def note(self, usage: Usage) -> None:
        """Add one call to what the entry tells."""
        if self._fd >= 0:
            tokens = self._entry.tokens + usage.prompt_tokens + usage.completion_tokens
            self._entry = replace(self._entry, requests=self._entry.requests + 1, tokens=tokens)
            with suppress(OSError):  # a failing disk costs a figure in `ps`, not the run
                os.pwrite(self._fd, self._data(), 0)

    def _data(self) -> bytes:
        """For one write of one length, so that a reader never sees half of it."""
        return json.dumps(asdict(self._entry)).encode().ljust(ENTRY_BYTES)

    def close(self) -> None:
        """Remove the entry; idempotent."""
        if self._fd >= 0:
            unlist(self._path, self._fd)
            self._fd = -1


def live_clients(state_dir: Path) -> tuple[ClientEntry, ...]:
    """Every client of ours that is alive on this machine for this user, oldest first; dead entries are removed."""
    listed = ((path, alive(path, 16 * ENTRY_BYTES)) for path in sorted((state_dir / "clients").glob("*.json")))
    found = (_entry(path, data) for path, data in listed if data is not None)
    return tuple(sorted(found, key=lambda entry: entry.since))


def _entry(path: Path, data: bytes) -> ClientEntry:
    """What another version wrote, too: fields it added are passed over, and what it left out its file's name tells.

    Whoever holds the lock is a client, whatever its entry says, so none is left out.
    """
    kind, pid, _unique = path.stem.rsplit("-", 2)
    known: dict[str, Any] = {"kind": kind, "pid": int(pid) if pid.isdecimal() else 0, "model": "", "server": ""}
    try:
        told = json.loads(data)
    except ValueError:
        told = {}
    types = {"kind": str, "pid": int, "model": str, "server": str, "since": int | float, "requests": int, "tokens": int}
    if isinstance(told, dict):
        known |= {name: told[name] for name, type_ in types.items() if isinstance(told.get(name), type_)}
    return ClientEntry(**{"since": path.stat().st_mtime, **known})
