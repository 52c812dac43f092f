"""`ps`: Ollama's columns, and how many clients use each model now."""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from super_agent.cli.render.capabilities import draws
from super_agent.cli.say import say, say_json
from super_agent.core.instance.client_registry import ClientEntry
from super_agent.core.instance.instance_status import InstanceStatus, instance_status
from super_agent.core.ollama.api import LoadedModel, Ollama
from super_agent.core.settings import load_settings
from super_agent.session.messages.ps_columns import processor, size, until

COLUMNS = ("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL", "CLIENTS")
CLIENT_COLUMNS = ("KIND", "PID", "MODEL", "SINCE", "REQUESTS", "TOKENS")
WATCH_EVERY_S = 1.0
REDRAW = "\x1b[H\x1b[J"
"""Cursor home, then clear to the end of the screen (ECMA-48)."""


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool, clients: bool, watch: bool) -> int:
    """Print the loaded models; raises `ServerError` where the server cannot be asked."""
    settings = load_settings(flags, env_file=env_file)
    with Ollama(settings) as server:
        while True:
            status = instance_status(server, settings)
            if as_json:
                say_json(as_json_object(status))
            else:
                if watch and draws(sys.stdout):
                    sys.stdout.write(REDRAW)
                say(as_text(status, clients=clients))
            if not watch:
                return 0
            time.sleep(WATCH_EVERY_S)


def as_json_object(status: InstanceStatus) -> dict[str, Any]:
    """{"version": 1, "models": [{..., "clients": [...]}], "other_connections": [...] or null}."""
    models = [{**asdict(row), "clients": [asdict(c) for c in status.users(row)]} for row in status.rows]
    others = None if status.others is None else [asdict(c) for c in status.others]
    return {"version": 1, "models": models, "other_connections": others}


def as_text(status: InstanceStatus, *, clients: bool) -> str:
    """The table, and with `clients` a second one."""
    now = time.time()
    text = table([COLUMNS, *(_cells(row, status, now) for row in status.rows)])
    if clients:
        text += "\n" + table([CLIENT_COLUMNS, *(_client_cells(c, now) for c in status.clients)])
        text += "".join(f"connected, model unknown: {c.program} {c.address}\n" for c in status.others or ())
        if status.others is None:
            text += "connections of a server elsewhere are not observable\n"
    return text


def table(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = ("    ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "".join(f"{line}\n" for line in padded)


def _cells(row: LoadedModel, status: InstanceStatus, now: float) -> tuple[str, ...]:
    users = str(len(status.users(row)))
    if status.others:
        users += f" (+{len(status.others)} connected, model unknown)"
    amount, expiry = size(row.size), until(row, now)
    return (row.name, row.digest[:12], amount, processor(row), str(row.context_length), expiry, users)


def _client_cells(client: ClientEntry, now: float) -> tuple[str, ...]:
    since = f"{now - client.since:.0f} s ago"
    return (client.kind, str(client.pid), client.model, since, str(client.requests), str(client.tokens))
