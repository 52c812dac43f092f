"""The door for other agents on the real server: the library's client, a real model, a whole run over pipes."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.live.conftest import LiveOllama
from tests.mcp_door.conftest import CHECKOUT, structured

pytestmark = pytest.mark.timeout(300)


def test_another_agent_has_a_task_done_and_sees_one_instance(live_ollama: LiveOllama, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
        "OLLAMA_BASE_URL": live_ollama.base_url,
        "DEFAULT_MODEL": live_ollama.model,
        # A tiny model that loses its way would write until its limit.
        "SUPER_AGENT_MAX_REPLY_TOKENS": "120",
        "SUPER_AGENT_MAX_ROUNDS": "2",
    }
    command = ["-m", "super_agent.cli.main", "mcp", "--root", str(workspace)]
    server = StdioServerParameters(command=sys.executable, args=command, env=environment, cwd=CHECKOUT)
    said: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        said.append(message or "")

    async def scene() -> None:
        async with Client(server) as client:
            asked = {"task": "Write add.py with add(a, b).", "max_turns": 1}
            done = structured(await client.call_tool("run_task", asked, progress_callback=hear))
            assert done["outcome"] in ("done", "not_done"), done
            assert done["cost"]["prompt_tokens"] > 0
            assert done["instance"]["reload"] == 0
            assert any(line.startswith(f"session {done['session']}") for line in said)
            seen = structured(await client.call_tool("instance", {"proof": True}))
            assert seen["one_instance"], seen["checks"]
            assert len(seen["models"]) == 1

    asyncio.run(asyncio.wait_for(scene(), 280))
