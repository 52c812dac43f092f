"""The door with the protocol library's own client: in this process, in one of its own over pipes, and over HTTP."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from super_agent.mcp.allowed_folders import Roots
from super_agent.mcp.tool_registration import build_server
from super_agent.mcp.tools import Tools
from tests.scripted_ollama import ScriptedOllama

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
PLAN = "1. Write add.py with add(a, b)."
CODE = "Here it is.\n\n```python add.py\ndef add(a, b):\n    return a + b\n```\n"
CHECK = "python -c 'import add; assert add.add(2, 3) == 5'"
SCRIPT = (PLAN, CODE)

T = TypeVar("T")


@dataclass
class World:
    """A scripted server, an allowed folder, and what the door needs to find both."""

    ollama: ScriptedOllama
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "allowed"

    @property
    def env_file(self) -> Path:
        return self.folder / "settings.env"

    @property
    def command(self) -> list[str]:
        return ["-m", "super_agent.cli.main", "mcp", "--root", str(self.workspace), "--env-file", str(self.env_file)]

    @property
    def environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in ("PATH", "HOME")} | {"XDG_CONFIG_HOME": str(self.folder / "config")}

    def in_process(self, mode: str = "auto", root: Path | None = None) -> Client:
        return Client(build_server(Tools(Roots.of([root or self.workspace]), {}, self.env_file)), mode=mode)

    def over_stdio(self, mode: str = "auto") -> Client:
        server = StdioServerParameters(command=sys.executable, args=self.command, env=self.environment, cwd=CHECKOUT)
        return Client(server, mode=mode)

    async def hear(self, progress: float, total: float | None, message: str | None) -> None:
        """A progress callback."""
        self.said.append(message or "")

    @property
    def session(self) -> str:
        """As progress named it; waited for elsewhere."""
        return next(line.split()[1].rstrip(",") for line in self.said if line.startswith("session "))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Makes one, with the replies of its model."""
    for name in [name for name in os.environ if name.startswith(("SUPER_AGENT_", "OLLAMA_", "DEFAULT_MODEL"))]:
        monkeypatch.delenv(name)
    servers: list[ScriptedOllama] = []

    def make(*replies: Any, **options: Any) -> World:
        ollama = ScriptedOllama(replies, **options)
        ollama.__enter__()
        servers.append(ollama)
        made = World(ollama, tmp_path)
        made.workspace.mkdir()
        settings = {
            "OLLAMA_BASE_URL": ollama.base_url,
            "DEFAULT_MODEL": ollama.model,
            "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
        }
        made.env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return made

    yield make
    for server in servers:
        server.stop()


@dataclass(frozen=True)
class Served:
    """A server over HTTP in a process of its own."""

    process: "subprocess.Popen[str]"
    url: str
    token: str

    @asynccontextmanager
    async def client(self, mode: str = "auto", token: str | None = None) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode) as client,
        ):
            yield client


@contextmanager
def served(world: World) -> Iterator[Served]:
    """`super-agent mcp --http 0 --json` until the block is left."""
    process = subprocess.Popen(
        [sys.executable, *world.command, "--http", "0", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=world.environment, cwd=CHECKOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Served(process, said["url"], Path(said["token_file"]).read_text().strip())
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


def play(scene: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The scene to its end, within the patience of these tests."""

    async def bounded() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await scene()

    return asyncio.run(bounded())


async def until(happened: Callable[[], Any], what: str) -> None:
    """Raises TimeoutError after half the patience."""
    for _ in range(int(PATIENCE_S / 2 / 0.05)):
        if happened():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{what} did not happen in {PATIENCE_S / 2:g} s")


def structured(result: Any) -> dict[str, Any]:
    """What a call that went well answers."""
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def refused(result: Any) -> str:
    """What a call that did not go well says."""
    assert result.is_error, result.structured_content
    return str(result.content[0].text)
