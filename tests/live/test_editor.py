"""An editor on the real server: the protocol's own client drives a run, and goes on with it."""

import asyncio
from pathlib import Path

import pytest

from tests.acp.editor import opened
from tests.live.conftest import LiveOllama

pytestmark = pytest.mark.timeout(600)


def test_a_run_is_streamed_and_a_second_prompt_goes_on_on_the_same_instance(
    live_ollama: LiveOllama, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    # A tiny model that loses its way would write until its limit.
    small = {"SUPER_AGENT_MAX_REPLY_TOKENS": "60", "SUPER_AGENT_MAX_ROUNDS": "2"}

    async def test() -> None:
        arguments = ("--base-url", live_ollama.base_url, "--model", live_ollama.model, "--max-turns", "1")
        async with opened(tmp_path, *arguments, environ=small) as editor:
            session = await editor.new(workspace)
            first = await editor.say(session, "Write hello.py, which prints hello.", timeout_s=280)
            runners = live_ollama.runners()
            coder = [u for u in editor.of("agent_message_chunk") if _speaker(u) == "coder"]
            assert len(coder) > 3  # as it comes, not at the end
            assert "**coder**" in editor.text()
            usage = editor.of("usage_update")
            assert len(usage) >= 2
            assert usage[0].size == 8192
            assert first.usage.output_tokens > 0
            assert first.field_meta["super-agent"]["instance"]["reload"] == 0
            second = await editor.say(session, "Now print hello twice.", timeout_s=280)
            end = second.field_meta["super-agent"]
            assert end["turns"] == 2
            assert (end["instance"]["load"], end["instance"]["reload"]) == (0, 0)
            assert second.usage.cached_read_tokens > 0
            assert live_ollama.runners() == runners

    asyncio.run(test())
    assert (tmp_path / "stderr.txt").read_text() == ""


def _speaker(update: object) -> str:
    meta = getattr(update, "field_meta", None) or {}
    return str(meta.get("super-agent", {}).get("speaker", ""))
