"""`down`: unload the model, but only where nobody else uses it."""

from pathlib import Path
from typing import Any

from super_agent.cli.say import say, say_json
from super_agent.core.errors import UsageError
from super_agent.core.instance.instance_status import instance_status
from super_agent.core.instance.instance_watch import find_loaded
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool) -> int:
    """Unload; raises `UsageError` where a client of ours or a foreign connection is there."""
    settings = load_settings(flags, env_file=env_file)
    with Ollama(settings) as server:
        row = find_loaded(server, settings.model)
        if row is None:
            _tell(settings.model, f"{settings.model} is not loaded", unloaded=False, as_json=as_json)
            return 0
        status = instance_status(server, settings)
        users = [f"{c.kind} (pid {c.pid})" for c in status.users(row)]
        users += [f"{c.program} ({c.address})" for c in status.others or ()]
        if users:
            raise UsageError(f"{row.name} is in use by {', '.join(users)}", fix="End them first")
        server.unload(settings.model)
    _tell(row.name, f"unloaded {row.name}", unloaded=True, as_json=as_json)
    return 0


def _tell(model: str, text: str, *, unloaded: bool, as_json: bool) -> None:
    """With `as_json` one object, {"version": 1, "model", "unloaded"}: whether it was loaded and is not any more."""
    if as_json:
        say_json({"version": 1, "model": model, "unloaded": unloaded})
    else:
        say(f"{text}\n")
