"""The door as a client starts it: a process of its own, whose standard output carries the protocol and nothing else."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from super_agent.core.standard_streams import lines_of
from super_agent.core.store.store import Store
from super_agent.mcp.stdio_transport import MAX_MESSAGE_BYTES
from tests.mcp_door.conftest import CHECK, CHECKOUT, PATIENCE_S, SCRIPT, World, play, structured, until
from tests.scripted_replies import Silence

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
}  # fmt: skip
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
ENDS_WITHIN_S = 20.0
"""Its own bounds are 10 s for a run and 2 s for what is still to be written; the machine may be busy."""


@contextmanager
def opened(world: World) -> Iterator["subprocess.Popen[str]"]:
    """The bare process, for what no client of the library would send."""
    process = subprocess.Popen(
        [sys.executable, *world.command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=world.environment, cwd=CHECKOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


def say(process: "subprocess.Popen[str]", *messages: Any) -> None:
    assert process.stdin is not None
    for message in messages:
        process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def call(number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_whole_run_over_pipes(world: Callable[..., World], mode: str) -> None:
    here = world(*SCRIPT)

    async def scene() -> None:
        async with here.over_stdio(mode) as client:
            asked = {"task": "Write add.py with add(a, b).", "check": CHECK}
            done = structured(await client.call_tool("run_task", asked, progress_callback=here.hear))
            assert (done["outcome"], done["session"]) == ("done", here.session)

    play(scene)


def test_a_client_that_cancels_leaves_nothing_running_and_can_go_on(world: Callable[..., World]) -> None:
    here = world(Silence(), executor=lambda _request: "Done.")

    async def scene() -> None:
        async with here.over_stdio("legacy") as client:
            running = asyncio.create_task(client.call_tool("run_task", {"task": "x"}))
            await until(lambda: here.ollama.chats, "the first request")
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert here.ollama.chats[0].left.wait(10)
            await until(lambda: outcomes(here) == ["interrupted"], "the end of the run")
            rows = structured(await client.call_tool("sessions"))["sessions"]
            assert [row["outcome"] for row in rows] == ["cancelled"]

    play(scene)


def outcomes(here: World) -> list[str | None]:
    with Store.open(here.folder / "state") as store:
        return [row.reason for row in store.sessions()]


@pytest.mark.parametrize("how", ["gone", "SIGTERM", "SIGINT"])
def test_a_client_gone_in_the_middle_leaves_nothing_running(world: Callable[..., World], how: str) -> None:
    here = world(Silence())
    with opened(here) as process:
        say(process, HELLO, READY, call(2, "run_task", task="x"))
        assert hear(process)["result"]["serverInfo"]["name"] == "super-agent"
        play(lambda: until(lambda: here.ollama.chats, "the first request"))
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        if how == "gone":
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None  # so that the cleaning up does not flush it
        else:
            process.send_signal(getattr(signal, how))
        assert process.wait(ENDS_WITHIN_S) == (0 if how == "gone" else 130)
        _, alive = psutil.wait_procs(started[1:], timeout=5)
        assert alive == []
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert here.ollama.chats[0].left.wait(5)
    assert outcomes(here) == ["interrupted"]


def test_garbage_gets_the_protocols_errors_and_the_door_stays_open(world: Callable[..., World]) -> None:
    here = world()
    with opened(here) as process:
        say(process, HELLO, READY)
        assert hear(process)["id"] == 1
        for sent, code in (
            ("{no json", -32700),
            ("[]", -32700),
            ('{"jsonrpc": "2.0", "id": 5, "method": "no/such"}', -32601),
            (json.dumps(call(6, "run_task", task="x" * MAX_MESSAGE_BYTES)), -32600),
            ('{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": 1}}', -32602),
        ):
            say(process, sent)
            assert hear(process)["error"]["code"] == code
        say(process, call(8, "sessions"))
        assert hear(process)["result"]["structuredContent"] == {"sessions": [], "left_out": 0}
    assert here.ollama.requests == []


def test_what_code_prints_never_reaches_the_wire(world: Callable[..., World]) -> None:
    here = world()
    chatter = (
        "import os, sys; from super_agent.mcp import tools; old = tools.Tools.sessions\n"
        "async def loud(*a):\n    print('printed'); os.write(1, b'written\\n'); assert not sys.stdin.read()\n"
        "    return await old(*a)\n"
        "tools.Tools.sessions = loud\nfrom super_agent.cli.main import main; main(sys.argv[1:])"
    )
    arguments = here.command[2:]
    wire = "".join(json.dumps(message) + "\n" for message in (HELLO, READY, call(2, "sessions")))
    process = subprocess.Popen(
        [sys.executable, "-c", chatter, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=here.environment, cwd=CHECKOUT,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(wire)
    process.stdin.flush()
    heard = [hear(process), hear(process)]
    out, err = process.communicate(timeout=PATIENCE_S)
    assert [message["id"] for message in heard] == [1, 2]
    assert out == ""
    assert err == "written\nprinted\n"
    assert process.returncode == 0


def test_lines_are_whole_bounded_and_never_lost() -> None:
    import os

    source, sink = os.pipe()
    os.write(sink, b'{"a": 1}\n\n  \n{"b": 2}\r\n{"c"')
    os.write(sink, b": 3}")
    os.close(sink)
    assert list(lines_of(source, MAX_MESSAGE_BYTES)) == [b'{"a": 1}', b'{"b": 2}\r', b'{"c": 3}']
    os.close(source)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no folder is allowed to be worked in. Name one: super-agent mcp --root DIR"),
        (("--root", "/no/such"), "--root /no/such"),
        (("--root", "/etc/hostname"), "--root /etc/hostname is not a folder"),
        (("--root", "/tmp", "--http", "70000"), "70000"),
        (("--root", "/tmp", "--max-turns", "none"), "--max-turns=none"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "super_agent.cli.main", "mcp", *arguments],
        input="", capture_output=True, text=True, timeout=PATIENCE_S, cwd=CHECKOUT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_the_library_is_imported_for_this_door_alone() -> None:
    code = (
        "import sys, super_agent.cli.main, super_agent.mcp.serve_mcp; print([m for m in sys.modules if m[:3] == 'mcp'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=CHECKOUT)
    assert (done.returncode, done.stdout) == (0, "[]\n")
