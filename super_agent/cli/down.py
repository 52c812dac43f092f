"""`down`: unload the model, but only where nobody else uses it."""

import sys
from pathlib import Path
from typing import Any

from super_agent.cli.ps import look
from super_agent.core.errors import UsageError
from super_agent.core.instance import find_loaded
from super_agent.core.ollama import Ollama
from super_agent.core.settings import load_settings


def main(flags: dict[str, Any], env_file: Path | None) -> int:
    """Unload; raises `UsageError` where a client of ours or a foreign connection is there."""
    settings = load_settings(flags, env_file=env_file)
    with Ollama(settings) as server:
        row = find_loaded(server, settings.model)
        if row is None:
            sys.stdout.write(f"{settings.model} is not loaded\n")
            return 0
        picture = look(server, settings)
        users = [f"{c.kind} (pid {c.pid})" for c in picture.users(row)]
        users += [f"{c.program} ({c.address})" for c in picture.others or ()]
        if users:
            raise UsageError(f"{row.name} is in use by {', '.join(users)}", fix="End them first")
        server.unload(settings.model)
        sys.stdout.write(f"unloaded {row.name}\n")
    return 0
