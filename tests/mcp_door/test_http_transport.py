"""The door over HTTP: this machine, a token, and no page of a browser."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from super_agent.mcp.http_transport import kept_token
from tests.mcp_door.conftest import (
    CHECK,
    CHECKOUT,
    PATIENCE_S,
    SCRIPT,
    Served,
    World,
    play,
    served,
    structured,
    until,
)
from tests.mcp_door.test_stdio_transport import HELLO, outcomes
from tests.scripted_replies import Silence

ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
def door(world: Callable[..., World]) -> Iterator[tuple[World, Served]]:
    """Behind it a model that gives two replies, and to an executor one answer for ever."""
    here = world(executor=lambda _request: "Done.", autogen=SCRIPT)
    with served(here) as http:
        yield here, http


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_whole_run_and_a_second_client_at_once(door: tuple[World, Served], mode: str) -> None:
    here, http = door

    async def scene() -> None:
        async with http.client(mode) as one, http.client(mode) as other:
            (here.workspace / "other").mkdir()
            asked = {"task": "Write add.py with add(a, b).", "check": CHECK}
            looking = {"task": "Look.", "mode": "solo", "workspace": str(here.workspace / "other")}
            first, second = await asyncio.gather(
                one.call_tool("run_task", asked, progress_callback=here.hear), other.call_tool("run_task", looking)
            )
            done = structured(first)
            assert (done["outcome"], done["files"]) == ("done", ["add.py"])
            assert done["session"] == here.session
            seen = structured(await other.call_tool("sessions"))["sessions"]
            assert {row["session"] for row in seen} == {done["session"], structured(second)["session"]}

    play(scene)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic {token}"}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_who_may_enter(door: tuple[World, Served], headers: dict[str, str], status: int) -> None:
    here, http = door
    sent = {"Authorization": f"Bearer {http.token}", **ACCEPT}
    sent |= {name: value.format(token=http.token) for name, value in headers.items()}
    answer = httpx.post(http.url, json=HELLO, headers=sent, timeout=PATIENCE_S)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert here.ollama.requests == []


def test_a_huge_message_is_refused_and_the_door_stays_open(door: tuple[World, Served]) -> None:
    here, http = door
    sent = {"Authorization": f"Bearer {http.token}", **ACCEPT}
    answer = httpx.post(http.url, content=b"x" * (5 << 20), headers=sent | {"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert httpx.post(http.url, json=HELLO, headers=sent, timeout=PATIENCE_S).status_code == 200
    assert here.ollama.requests == []


@pytest.mark.parametrize("content", [b"{no json", b"[]", b'{"jsonrpc": "2.0", "id": 5}', b"\xff\xfe"])
def test_a_malformed_message_gets_the_protocols_error_and_the_door_stays_open(
    door: tuple[World, Served], content: bytes
) -> None:
    here, http = door
    sent = {"Authorization": f"Bearer {http.token}", **ACCEPT}
    answer = httpx.post(
        http.url, content=content, headers=sent | {"Content-Type": "application/json"}, timeout=PATIENCE_S
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32700, -32600, -32602)
    assert httpx.post(http.url, json=HELLO, headers=sent, timeout=PATIENCE_S).status_code == 200
    assert here.ollama.requests == []


def test_a_client_gone_in_the_middle_leaves_nothing_running(world: Callable[..., World]) -> None:
    here = world(Silence())

    async def scene(http: Served) -> None:
        async with http.client() as client:
            running = asyncio.create_task(client.call_tool("run_task", {"task": "x"}))
            await until(lambda: here.ollama.chats, "the request without an answer")
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert here.ollama.chats[0].left.wait(10)
        await until(lambda: outcomes(here) == ["interrupted"], "the end of the run")
        await until(lambda: psutil.Process(http.process.pid).children() == [], "the end of its processes")

    with served(here) as http:
        play(lambda: scene(http))


def test_a_client_that_times_out_comes_back_on_another_connection(world: Callable[..., World]) -> None:
    go_on = threading.Event()

    def slow(_request: Any) -> str:
        assert go_on.wait(60)
        return SCRIPT[1]

    here = world(SCRIPT[0], slow)

    async def scene(http: Served) -> None:
        async with http.client() as client:
            asked = {"task": "Write add.py", "check": CHECK, "wait_s": 0.5}
            session = structured(await client.call_tool("run_task", asked))["session"]
        go_on.set()
        async with http.client() as client:
            done = structured(await client.call_tool("get_result", {"session": session, "wait_s": 60}))
            assert (done["outcome"], done["files"]) == ("done", ["add.py"])

    with served(here) as http:
        play(lambda: scene(http))


def test_a_result_outlives_the_server(world: Callable[..., World]) -> None:
    here = world(*SCRIPT)

    async def run(http: Served) -> dict[str, Any]:
        async with http.client() as client:
            return structured(await client.call_tool("run_task", {"task": "Write add.py", "check": CHECK}))

    async def ask(http: Served, session: str) -> dict[str, Any]:
        async with http.client() as client:
            return structured(await client.call_tool("get_result", {"session": session}))

    with served(here) as http:
        done = play(lambda: run(http))
        http.process.kill()
    with served(here) as again:
        assert again.token == http.token
        assert play(lambda: ask(again, done["session"]))["diff"] == done["diff"]


def test_a_signal_ends_the_server_and_what_it_runs(world: Callable[..., World]) -> None:
    here = world(Silence())

    async def scene(http: Served) -> None:
        async with http.client() as client:
            await client.list_tools()  # else the client asks for the schema once the result is there
            running = asyncio.create_task(client.call_tool("run_task", {"task": "x"}))
            await until(lambda: here.ollama.chats, "the request without an answer")
            http.process.send_signal(signal.SIGTERM)
            ended = structured(await running)
            assert (ended["outcome"], ended["reason"]) == ("cancelled", "interrupted")

    with served(here) as http:
        play(lambda: scene(http))
        assert http.process.wait(20) == -signal.SIGTERM


def test_a_port_that_is_taken_is_one_line_and_exit_2(door: tuple[World, Served]) -> None:
    here, http = door
    port = http.url.rpartition(":")[2].partition("/")[0]
    done = subprocess.run(
        [sys.executable, *here.command, "--http", port],
        input="", capture_output=True, text=True, timeout=PATIENCE_S, cwd=CHECKOUT, env=here.environment, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == f"super-agent: --http {port}: Address already in use. Choose another port, or 0 for a free one\n"
    )


def test_the_token_is_private_and_lasts(tmp_path: Path) -> None:
    token, path = kept_token(tmp_path / "state")
    assert (kept_token(tmp_path / "state"), path.stat().st_mode & 0o777) == ((token, path), 0o600)
    assert sorted(os.listdir(tmp_path / "state")) == ["mcp-token"]
