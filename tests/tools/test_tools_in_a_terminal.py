"""A person at a terminal decides about tools; and a run that is killed leaves none of them."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from super_agent.core.orphans import GroupGuard
from tests.cli.adding import where
from tests.cli.background import start as start_in_background
from tests.cli.background import wait_until
from tests.cli.conftest import workspace
from tests.cli.test_approval import QUESTION, Screen
from tests.scripted_ollama import ScriptedOllama
from tests.tools.test_runs_with_tools import FAIL, write_list
from tests.tools.test_tool_servers import SERVER, is_gone

__all__ = ["workspace"]

HANG = '```tool\n{"tool": "sums.hang", "arguments": {}}\n```'
ENVIRONMENT = '```tool\n{"tool": "sums.environment", "arguments": {}}\n```'


@pytest.fixture
def screen(tmp_path: Path, workspace: Path) -> Iterator[tuple[Screen, ScriptedOllama]]:
    """A run in a terminal whose model calls one tool twice and then another; its list allows neither."""
    write_list(tmp_path)
    with ScriptedOllama(executor=[FAIL, FAIL, ENVIRONMENT, "Done."]) as server:
        screen = Screen(("exec", "x", "--mcp", "sums", *where(server, workspace)), tmp_path / "home")
        yield screen, server
        if screen.process.poll() is None:
            screen.process.kill()
            screen.process.wait()
        os.close(screen.master)


def test_yes_counts_once_and_no_is_told_to_the_model(screen: tuple[Screen, ScriptedOllama]) -> None:
    shown, server = screen
    before = shown.reads(QUESTION)
    assert "it is a tool of an MCP server, which the sandbox does not hold" in before
    assert '{"tool": "sums.fail", "arguments": {"why": "x"}}' in before
    shown.types("r\r")
    shown.reads(QUESTION)
    shown.types("s not again\r")
    shown.reads(QUESTION)
    shown.types("s\r")
    assert shown.ends() == 0, shown.shown
    told = [chat.prompt[-1][1] for chat in server.chats]
    assert told[1].startswith("Result of the tool call (failed)")
    assert "the user skipped it: not again" in told[2]
    assert "the sandbox did not hold these MCP servers: sums" in shown.shown


def test_always_is_for_the_one_tool(screen: tuple[Screen, ScriptedOllama]) -> None:
    shown, server = screen
    shown.reads(QUESTION)
    shown.types("a\r")
    between = shown.reads(QUESTION)
    assert "the user said always for this tool" in between
    assert '{"tool": "sums.environment", "arguments": {}}' in between
    shown.types("q\r")
    assert shown.ends() == 130, shown.shown
    assert len(server.chats) == 3


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_run_that_is_killed_leaves_no_tool_server(tmp_path: Path, workspace: Path, wrapped: bool) -> None:
    """Neither one that waits for nothing but its own work, nor one behind a launcher."""
    entry = {"command": sys.executable, "args": [str(SERVER)], "autoApprove": ["*"]}
    if wrapped:
        entry |= {"command": "/bin/sh", "args": ["-c", f"{sys.executable} {SERVER}; true"]}
    folder = tmp_path / "home" / "config" / "super-agent"
    folder.mkdir(parents=True)
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"sums": entry}}))
    with ScriptedOllama(executor=[HANG, "Done."]) as server:
        run = start_in_background(tmp_path, "exec", "x", "--mcp", "sums", *where(server, workspace), "--json")
        assert run.stdout is not None
        for line in run.stdout:
            if json.loads(line)["type"] == "code_started":
                break
        servers = [p for p in psutil.Process(run.pid).children(recursive=True) if str(SERVER) in p.cmdline()]
        assert servers
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=30)
        wait_until(lambda: all(is_gone(process.pid) for process in servers), "the end of the tool servers")


def test_a_guard_that_is_released_leaves_its_group_alone() -> None:
    process = psutil.Popen([sys.executable, "-c", "input()"], stdin=-1, start_new_session=True)
    GroupGuard(process.pid).release()
    process.communicate(b"\n", timeout=30)
    assert process.returncode == 0
