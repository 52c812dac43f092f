"""Who uses which loaded model now: the server's rows, our clients, and the connections of others."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from super_agent.core.instance.client_registry import ClientEntry, live_clients
from super_agent.core.instance.instance_watch import find_loaded
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import LoadedModel, Ollama, same_model
from super_agent.core.ollama.processes import TcpConnection
from super_agent.core.settings import Settings


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """The loaded models now, our clients by their locked files, others by their connections (None: unseen)."""

    rows: tuple[LoadedModel, ...]
    clients: tuple[ClientEntry, ...]
    others: tuple[TcpConnection, ...] | None
    served: Mapping[str, str] = field(default_factory=dict)
    """The row of each client's model, where that has another name: of an alias of the same weights."""

    def users(self, row: LoadedModel) -> tuple[ClientEntry, ...]:
        """Our clients of one model."""
        return tuple(c for c in self.clients if same_model(self.served.get(c.model, c.model), row.name))


def instance_status(server: Ollama, settings: Settings) -> InstanceStatus:
    """Ask the server, read the locked files, look at the connections."""
    rows = server.loaded()
    alive = live_clients(settings.state_dir)
    ours = tuple(client for client in alive if processes.same_server(client.server, settings.base_url))
    pids = {client.pid for client in alive} | {os.getpid()}
    served = {model: row.name for model in {c.model for c in ours} if (row := find_loaded(server, model)) is not None}
    return InstanceStatus(rows, ours, processes.connections(settings.base_url, pids), served)
