"""`ps`: Ollama's columns, and how many clients of ours use each model now."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from super_agent.core.clients import ClientEntry, live_clients
from super_agent.core.ollama import LoadedModel, Ollama, same_model
from super_agent.core.settings import load_settings

COLUMNS = ("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL", "CLIENTS")


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool) -> int:
    """Print the loaded models; raises `ServerError` where the server cannot be asked."""
    settings = load_settings(flags, env_file=env_file)
    with Ollama(settings) as server:
        rows = server.loaded()
    clients = [c for c in live_clients(settings.state_dir) if c.server == settings.base_url]
    if as_json:
        models = [{**asdict(row), "clients": [asdict(c) for c in _users(row, clients)]} for row in rows]
        sys.stdout.write(json.dumps({"version": 1, "models": models}) + "\n")
        return 0
    table = [COLUMNS, *(_cells(row, len(_users(row, clients)), time.time()) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        sys.stdout.write(
            "    ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        )
    return 0


def _users(row: LoadedModel, clients: list[ClientEntry]) -> list[ClientEntry]:
    return [client for client in clients if same_model(client.model, row.name)]


def _cells(row: LoadedModel, clients: int, now: float) -> tuple[str, ...]:
    return (
        row.name,
        row.digest[:12],
        _size(row.size),
        processor(row),
        str(row.context_length),
        _until(row, now),
        str(clients),
    )


def processor(row: LoadedModel) -> str:
    """As `ollama ps` says it: all in graphics memory, all in main memory, or the shares."""
    if row.size_vram <= 0:
        return "100% CPU"
    if row.size_vram >= row.size:
        return "100% GPU"
    cpu = round(100 * (row.size - row.size_vram) / row.size)
    return f"{cpu}%/{100 - cpu}% CPU/GPU"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _until(row: LoadedModel, now: float) -> str:
    if row.expires_at is None or row.expires_at - now > 10 * 365 * 86400:
        return "Forever"
    seconds = row.expires_at - now
    if seconds <= 0:
        return "Stopping..."
    return f"{seconds / 60:.0f} minutes from now" if seconds >= 90 else f"{seconds:.0f} seconds from now"
