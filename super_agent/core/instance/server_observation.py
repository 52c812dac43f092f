"""Looking at a server for one model: what is loaded now, and who may be behind it. Adds no load."""

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from super_agent.core.errors import ModelNotFound
from super_agent.core.instance.client_registry import live_clients
from super_agent.core.instance.diagnosis import ServerObservation
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import LoadedModel, Ollama, same_model
from super_agent.core.ollama.processes import RunnerProcess
from super_agent.core.ollama.server import is_local
from super_agent.core.settings import Settings
from super_agent.core.state import private_folder

SETTLE_S = 0.5
"""A runner ends within some 100 ms of its row and 20 ms later the next is started; several times that when busy."""
SETTLE_STEP_S = 0.05


def parallel_slots(settings: Settings, weights: str) -> int:
    """How many runs may use the model at once; a server whose setting cannot be seen has one slot by default."""
    return settings.slots or processes.slots(settings.base_url, weights) or 1


def model_digest(server: Ollama, model: str) -> str:
    """Of the model as the server lists it; empty where it does not. Raises `ServerError`."""
    return next((listed.digest for listed in server.models() if same_model(listed.name, model)), "")


def observe(
    server: Ollama, model: str, weights: str, *, timeout_s: float = 0.0, known: RunnerProcess | None = None
) -> ServerObservation:
    """One `/api/ps`; where it does not name the model, whose weights (a blob's name, "" unknown) each row has.

    While a runner is being started there is no row at all, which looks like a model that was unloaded: its process
    (another one than `known`) tells the difference, where it can be seen, and is given as a row without a name.
    """
    observed = observe_rows(server, model, weights, timeout_s)
    if not weights or not is_local(server.base_url):
        return observed
    deadline = time.monotonic() + SETTLE_S
    while observed.row(model) is None and time.monotonic() < deadline:
        time.sleep(SETTLE_STEP_S)
        observed = observe_rows(server, model, weights, timeout_s)
    if observed.row(model) is not None:
        return observed
    started = [runner for runner in processes.runners(server.base_url, weights) or () if runner != known]
    rows = tuple(LoadedModel("", "", 0, 0, runner.context, None) for runner in started[-1:])
    return replace(observed, rows=observed.rows + rows, siblings=observed.siblings | {row.name for row in rows})


def observe_rows(server: Ollama, model: str, weights: str, timeout_s: float = 0.0) -> ServerObservation:
    """What `/api/ps` gives by itself, without waiting for anything."""
    observed = ServerObservation(time.time(), server.loaded(timeout_s))
    if observed.named(model) is not None or not weights:
        return observed
    return replace(observed, siblings=frozenset(row.name for row in observed.rows if _weights(server, row) == weights))


def with_evidence(observed: ServerObservation, settings: Settings) -> ServerObservation:
    """The observation with what this machine shows of a local server: its process, its limit, who is connected."""
    ours = {client.pid for client in live_clients(settings.state_dir)} | {os.getpid()}
    seen = processes.connections(settings.base_url, ours) or ()
    return replace(
        observed,
        server_pid=processes.server_pid(settings.base_url),
        max_loaded=_max_loaded(settings.base_url),
        programs=tuple(f"{c.program} (pid {c.pid})" if c.pid else f"{c.program} ({c.address})" for c in seen),
    )


def remember(settings: Settings, observed: ServerObservation) -> None:
    """Keep the observation for the next command, which may find the model gone."""
    path = _memory(settings)
    private_folder(settings.state_dir, path.parent.name)
    kept = {"at": observed.at, "server_pid": observed.server_pid, "rows": [asdict(row) for row in observed.rows]}
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):  # a full disk costs a hint, not the run
        part.write_text(json.dumps(kept | {"siblings": sorted(observed.siblings)}), encoding="utf-8")
        part.replace(path)


def remembered(settings: Settings) -> ServerObservation | None:
    """The last observation that any command kept for this server and model; None where there is none to be read."""
    try:
        kept = json.loads(_memory(settings).read_text(encoding="utf-8"))
        rows = tuple(LoadedModel(**row) for row in kept["rows"])
        return ServerObservation(kept["at"], rows, frozenset(kept["siblings"]), kept["server_pid"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _memory(settings: Settings) -> Path:
    name = hashlib.sha256(f"{settings.base_url} {settings.model}".encode()).hexdigest()[:16]
    return settings.state_dir / "looks" / f"{name}.json"


def _weights(server: Ollama, row: LoadedModel) -> str | None:
    try:
        return server.show(row.name).weights
    except ModelNotFound:
        return None  # deleted meanwhile; it stays in memory until it is unloaded


def _max_loaded(base_url: str) -> int | None:
    variables = processes.server_variables(base_url)
    if variables is None:
        return None
    value = variables.get("OLLAMA_MAX_LOADED_MODELS", "")
    return int(value) if value.isdecimal() else 0
