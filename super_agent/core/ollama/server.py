"""Starting the user's own Ollama server where none answers at a local address."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from super_agent.core.errors import OllamaUnreachable
from super_agent.core.ollama.api import Ollama
from super_agent.core.ollama.instruction_sets import candidates
from super_agent.core.settings import Settings, server_environment
from super_agent.core.state import private_folder

START_TIMEOUT_S = 30.0
"""The server answers within 0.1 s on an idle machine."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, never bound


@dataclass(frozen=True, slots=True)
class Started:
    """A server that was started here: `ollama serve`'s own process, its version and its log."""

    pid: int
    version: str
    log: Path


def is_local(base_url: str) -> bool:
    """Whether a server at this address would run on this machine."""
    return (urlsplit(base_url).hostname or "") in LOCAL_HOSTS


def up_command(settings: Settings) -> str:
    """The command that makes this server and this model ready."""
    fields = Settings.model_fields
    model = f" --model {settings.model}" if settings.model != fields["model"].default else ""
    url = f" --base-url {settings.base_url}" if settings.base_url != fields["base_url"].default else ""
    return f"super-agent up{model}{url}"


def find_program() -> str | None:
    """The `ollama` on PATH, else the one that `make ollama` built."""
    if installed := shutil.which("ollama"):
        return installed
    folders = platformdirs.user_cache_path("super-agent").glob("ollama-*")
    built = (folder / "bin" / "ollama" for folder in candidates(folders))
    return next((str(path) for path in built if path.exists()), None)


def start_server(server: Ollama, settings: Settings) -> Started:
    """Start `ollama serve` on the settings' address, detached, and wait until it answers; it outlives us on purpose.

    Raises `OllamaUnreachable` where the address is another machine's, Ollama is not installed or does not come up.
    """
    if not is_local(settings.base_url):
        raise OllamaUnreachable(
            f"no Ollama server answers at {settings.base_url}, which is another machine", fix="Start it there"
        )
    path = find_program()
    if path is None:
        raise OllamaUnreachable(
            f"no Ollama server answers at {settings.base_url} and ollama is not installed",
            fix="Install it from https://ollama.com/download, or in a checkout run `make ollama`",
        )
    log = private_folder(settings.state_dir) / "ollama.log"
    parts = urlsplit(settings.base_url)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [path, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**server_environment(), "OLLAMA_HOST": f"{parts.scheme}://{parts.netloc}"},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return Started(process.pid, server.version(), log)
        except OllamaUnreachable as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise OllamaUnreachable(f"Ollama did not start at {settings.base_url}", fix=f"See {log}") from error
            time.sleep(0.1)
