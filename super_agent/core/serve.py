"""Starting the user's own Ollama server where none answers at a local address."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from super_agent.core.errors import OllamaUnreachable
from super_agent.core.settings import Settings, server_environment
from super_agent.core.state import private_folder

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, never bound


def is_local(base_url: str) -> bool:
    """Whether a server at this address would run on this machine."""
    return (urlsplit(base_url).hostname or "") in LOCAL_HOSTS


def find_program() -> str | None:
    """The `ollama` on PATH, else the one that `make ollama` built."""
    built = platformdirs.user_cache_path("super-agent").glob("ollama-*/bin/ollama")
    return shutil.which("ollama") or next((str(path) for path in sorted(built, reverse=True)), None)


def start_server(settings: Settings) -> Path:
    """Start `ollama serve` on the settings' address, detached, and return its log; it outlives us on purpose.

    Raises `OllamaUnreachable` where the address is another machine's, or Ollama is not installed.
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
        subprocess.Popen(
            [path, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**server_environment(), "OLLAMA_HOST": f"{parts.scheme}://{parts.netloc}"},
            start_new_session=True,
        )
    return log
