"""`ps`: Ollama's columns, and how many clients use each model now."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from super_agent.cli.render.capabilities import draws
from super_agent.cli.say import say, say_json
from super_agent.core.instance.client_registry import ClientEntry, live_clients
from super_agent.core.instance.watch import find_loaded
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import LoadedModel, Ollama, same_model
from super_agent.core.ollama.processes import Connection
from super_agent.core.settings import Settings, load_settings

COLUMNS = ("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL", "CLIENTS")
CLIENT_COLUMNS = ("KIND", "PID", "MODEL", "SINCE", "REQUESTS", "TOKENS")
WATCH_EVERY_S = 1.0
FOREVER_S = 10 * 365 * 86400
"""keep_alive -1 is an expiry some centuries away."""
REDRAW = "\x1b[H\x1b[J"
"""Cursor home, then clear to the end of the screen (ECMA-48)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One look: the loaded models, our clients by their locked files, others by their connections (None: unseen)."""

    rows: tuple[LoadedModel, ...]
    clients: tuple[ClientEntry, ...]
    others: tuple[Connection, ...] | None
    served: Mapping[str, str] = field(default_factory=dict)
    """The row of each client's model, where that has another name: of an alias of the same weights."""

    def users(self, row: LoadedModel) -> tuple[ClientEntry, ...]:
        """Our clients of one model."""
        return tuple(c for c in self.clients if same_model(self.served.get(c.model, c.model), row.name))


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool, clients: bool, watch: bool) -> int:
    """Print the loaded models; raises `ServerError` where the server cannot be asked."""
    settings = load_settings(flags, env_file=env_file)
    with Ollama(settings) as server:
        while True:
            picture = look(server, settings)
            if as_json:
                say_json(as_json_object(picture))
            else:
                if watch and draws(sys.stdout):
                    sys.stdout.write(REDRAW)
                say(as_text(picture, clients=clients))
            if not watch:
                return 0
            time.sleep(WATCH_EVERY_S)


def look(server: Ollama, settings: Settings) -> Picture:
    """Ask the server, read the locked files, look at the connections."""
    rows = server.loaded()
    alive = live_clients(settings.state_dir)
    ours = tuple(client for client in alive if processes.same_server(client.server, settings.base_url))
    pids = {client.pid for client in alive} | {os.getpid()}
    served = {model: row.name for model in {c.model for c in ours} if (row := find_loaded(server, model)) is not None}
    return Picture(rows, ours, processes.connections(settings.base_url, pids), served)


def as_json_object(picture: Picture) -> dict[str, Any]:
    """{"version": 1, "models": [{..., "clients": [...]}], "other_connections": [...] or null}."""
    models = [{**asdict(row), "clients": [asdict(c) for c in picture.users(row)]} for row in picture.rows]
    others = None if picture.others is None else [asdict(c) for c in picture.others]
    return {"version": 1, "models": models, "other_connections": others}


def as_text(picture: Picture, *, clients: bool) -> str:
    """The table, and with `clients` a second one."""
    now = time.time()
    text = table([COLUMNS, *(_cells(row, picture, now) for row in picture.rows)])
    if clients:
        text += "\n" + table([CLIENT_COLUMNS, *(_client_cells(c, now) for c in picture.clients)])
        text += "".join(f"connected, model unknown: {c.program} {c.address}\n" for c in picture.others or ())
        if picture.others is None:
            text += "connections of a server elsewhere are not observable\n"
    return text


def table(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = ("    ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "".join(f"{line}\n" for line in padded)


def processor(row: LoadedModel) -> str:
    """As `ollama ps` says it: all in graphics memory, all in main memory, or the shares."""
    if row.size_vram <= 0:
        return "100% CPU"
    if row.size_vram >= row.size:
        return "100% GPU"
    cpu = round(100 * (row.size - row.size_vram) / row.size)
    return f"{cpu}%/{100 - cpu}% CPU/GPU"


def _cells(row: LoadedModel, picture: Picture, now: float) -> tuple[str, ...]:
    users = str(len(picture.users(row)))
    if picture.others:
        users += f" (+{len(picture.others)} connected, model unknown)"
    size, until = _size(row.size), _until(row, now)
    return (row.name, row.digest[:12], size, processor(row), str(row.context_length), until, users)


def _client_cells(client: ClientEntry, now: float) -> tuple[str, ...]:
    since = f"{now - client.since:.0f} s ago"
    return (client.kind, str(client.pid), client.model, since, str(client.requests), str(client.tokens))


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _until(row: LoadedModel, now: float) -> str:
    if row.expires_at is None or row.expires_at - now > FOREVER_S:
        return "Forever"
    seconds = row.expires_at - now
    if seconds <= 0:
        return "Stopping..."
    return f"{seconds / 60:.0f} minutes from now" if seconds >= 90 else f"{seconds:.0f} seconds from now"
