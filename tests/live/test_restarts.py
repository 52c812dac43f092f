"""A real server that is killed in the middle of a run and started again: the run goes on, and the load is counted."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from interpreter.ollama_adapter import OllamaAdapter
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import SuperAgentError
from super_agent.core.events import Event, InstanceNoted, ReplyDiscarded, Retried
from super_agent.core.instance.instance_watch import InstanceWatch, RunMiddleware, find_loaded, make_ready
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply, ReplyPiece
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from super_agent.provision.demo_model import TINY, packaged_model
from tests.live.conftest import LiveOllama

CHECKOUT = Path(__file__).resolve().parents[2]
COUNT = [Message("user", "Count from 1 to 300, one number a line.")]
LONG = [Message("user", "Numbers: " + " ".join(str(number) for number in range(150)))]
DOWN_S = 1.0

pytestmark = pytest.mark.timeout(300)  # each loads the model twice, and counts on half a machine


class Restarting:
    """A server of the test's own that can be killed, and comes back at the same address."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._program = find_program("--installed")
        self._folder = folder
        self._stack = stack
        self._server = stack.enter_context(OwnOllama(self._program, folder / "first.log"))
        self.base_url = self._server.base_url
        with Ollama(self.settings("x")) as management:
            self.model = packaged_model(management, TINY, lambda _text: None)

    def settings(self, model: str = "", **flags: Any) -> Settings:
        given = {"base_url": self.base_url, "model": model or self.model, "state_dir": self._folder / "state"}
        return load_settings({**given, **flags}, environ={})

    def kill(self) -> None:
        """As the kernel does it when memory runs out, runner and all; by their own pids."""
        runners = self._server.runners()
        for pid in (self._server.pid, *(pid for pid, _started in runners)):
            os.kill(pid, signal.SIGKILL)

    def start_later(self) -> None:
        """In DOWN_S. The server ends with the thread that started it, so that thread lives as long as the test."""
        over = threading.Event()

        def start() -> None:
            time.sleep(DOWN_S)
            address = self.base_url.removeprefix("http://")
            with OwnOllama(self._program, self._folder / "second.log", address=address):
                over.wait()

        thread = threading.Thread(target=start)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(over.set)


@pytest.fixture
def restarting(live_ollama: LiveOllama, tmp_path: Path) -> Iterator[Restarting]:
    """`live_ollama` is asked for because it skips, or fails, where there is none."""
    with ExitStack() as stack:
        try:
            yield Restarting(tmp_path, stack)
        except SuperAgentError as error:
            pytest.fail(str(error))


class Run:
    """A run's middleware and watch, with all its events."""

    def __init__(self, settings: Settings) -> None:
        self.events: list[Event] = []
        self.server = Ollama(settings)
        self.watch = InstanceWatch(self.server, settings, self.events.append)
        self.watch.begin(make_ready(self.server, settings, self.events.append))
        self.middleware = RunMiddleware(CountingMiddleware(), self.watch, self.events.append)

    def told(self) -> list[str]:
        return [type(e).__name__ for e in self.events if isinstance(e, ReplyDiscarded | Retried)]

    def is_kept_as_wanted(self) -> None:
        """For half an hour again: the request that loaded the model brought the server's own five minutes."""
        row = find_loaded(self.server, self.watch.settings.model)
        assert row is not None
        assert row.expires_at is not None
        assert row.expires_at > time.time() + 20 * 60

    def unexpected(self) -> list[tuple[str, str]]:
        return [(e.kind, e.cause) for e in self.events if isinstance(e, InstanceNoted) and not e.expected]


def test_killed_in_mid_reply_the_executors_call_begins_anew(restarting: Restarting) -> None:
    settings = restarting.settings(max_reply_tokens=120)
    run = Run(settings)
    adapter = OllamaAdapter(settings, run.middleware, 8192, emit=run.events.append)
    pieces, reply = 0, None
    for item in adapter.stream(COUNT):
        if isinstance(item, ReplyPiece):
            pieces += 1
            if pieces == 5:
                restarting.kill()
                restarting.start_later()
        else:
            reply = item
    run.watch.observe()
    run.is_kept_as_wanted()
    adapter.close()
    run.server.close()
    assert isinstance(reply, Reply)
    assert reply.completion_tokens > 5
    assert run.told()[:2] == ["ReplyDiscarded", "Retried"]
    assert [kind for kind, _cause in run.unexpected()] == ["load"]
    assert "restarted" in run.unexpected()[0][1]


def test_killed_before_the_first_piece_the_teams_call_is_sent_again(restarting: Restarting) -> None:
    settings = restarting.settings(max_reply_tokens=16)
    run = Run(settings)

    async def ask() -> Reply:
        client = LLMClient(settings, run.middleware, 8192, emit=run.events.append)
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, restarting.kill)
        loop.call_later(0.6, restarting.start_later)
        try:
            items = [item async for item in client.stream(LONG)]
        finally:
            await client.aclose()
        assert isinstance(items[-1], Reply)
        assert "".join(item.text for item in items[:-1]) == items[-1].text
        return items[-1]

    reply = asyncio.run(ask())
    run.watch.observe()
    run.is_kept_as_wanted()
    run.server.close()
    assert reply.prompt_tokens > 400
    assert set(run.told()) == {"Retried"}
    assert [kind for kind, _cause in run.unexpected()] == ["load"]


def test_a_run_of_the_command_line_survives_its_server(restarting: Restarting, tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    workspace.mkdir()
    command = [sys.executable, "-m", "super_agent.cli.main", "run", "Write add.py", "--check", "false", "--json"]
    command += ["-w", str(workspace), "--base-url", restarting.base_url, "--model", restarting.model]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SUPER_AGENT_MAX_REPLY_TOKENS": "24",
        "SUPER_AGENT_MAX_TURNS": "2",
    }
    seen: list[dict[str, Any]] = []
    killed = False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, env=environment) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                seen.append(json.loads(line))
                if not killed and seen[-1]["type"] == "text_streamed" and seen[-1]["speaker"] == "coder":
                    killed = True
                    restarting.kill()
                    restarting.start_later()
        finally:
            process.terminate()
    code = process.returncode
    types = [event["type"] for event in seen]
    assert "retried" in types
    end = seen[-1]
    # It ended as this model's runs do, by a limit or without progress: a server that is gone is exit code 3.
    assert (end["type"], code) == ("run_ended", 1), end
    assert end["instance"]["load"] + end["instance"]["reload"] >= 1
