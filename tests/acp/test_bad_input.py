"""What an editor may do wrong, and going away: the protocol's own errors, and nothing left running."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from acp.exceptions import RequestError
from acp.schema import ImageContentBlock

from tests.acp.editor import opened
from tests.cli.background import wait_until
from tests.cli.conftest import CHECKOUT, SuperAgent, environment
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Silence

INITIALIZE = {"jsonrpc": "2.0", "id": "first", "method": "initialize", "params": {"protocolVersion": 1}}


def spoken_to(tmp_path: Path, *lines: bytes | dict[str, Any], **environ: str) -> list[dict[str, Any]]:
    """What the agent writes to these lines and the end of its input; it must end by itself."""
    data = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    done = subprocess.run(
        [sys.executable, "-m", "super_agent.cli.main", "acp"],
        input=data, capture_output=True, timeout=100, cwd=CHECKOUT, env=environment(tmp_path) | environ, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_that_is_no_message_is_answered_and_the_next_one_served(tmp_path: Path) -> None:
    answers = spoken_to(
        tmp_path,
        b"{not json\n",
        b"[1, 2]\n",
        b'{"jsonrpc": "2.0", "id": 7}\n',
        b'{"jsonrpc": "2.0", "id": 8, "method": 9}\n',
        b"[" * 100_000 + b"\n",
        b'{"x": "' + b"a" * (17 << 20) + b'"}\n',
        b"\n",
        {"jsonrpc": "2.0", "id": 10, "method": "session/nonsense", "params": {}},
        {"jsonrpc": "2.0", "id": 11, "method": "session/new", "params": {"cwd": 5}},
        {"jsonrpc": "2.0", "id": 12, "method": "session/new", "params": [1]},
        {"jsonrpc": "2.0", "id": 13, "method": "session/set_mode", "params": {"sessionId": "x", "modeId": "y"}},
        INITIALIZE,
    )
    found = [(answer["id"], answer.get("error", {}).get("code")) for answer in answers]
    assert sorted(found, key=str) == sorted(
        [(None, -32700), (None, -32600), (7, -32600), (8, -32600), (None, -32700), (None, -32600), (10, -32601),
         (11, -32602), (12, -32602), (13, -32601), ("first", None)], key=str,
    )  # fmt: skip


def test_meta_takes_no_parameters_place(tmp_path: Path, workspace: Path) -> None:
    """The package hands the keys of `_meta` on as if they were the request's own."""

    async def test() -> None:
        async with opened(tmp_path) as editor:
            request = editor.agent._conn.send_request
            params = {"cwd": str(workspace), "mcpServers": [], "_meta": {"cwd": "nowhere", "unknown": 1}}
            assert (await asyncio.wait_for(request("session/new", params), 30))["sessionId"]
            params = {"_meta": {"cursor": "none of ours"}}
            assert (await asyncio.wait_for(request("session/list", params), 30))["sessions"] == []

    asyncio.run(test())


def test_standard_output_carries_the_protocol_alone(tmp_path: Path) -> None:
    program = (
        "import os, sys, subprocess\n"
        "from super_agent.acp.serve_acp import load_protocol\n"
        "load_protocol()\n"
        "from super_agent.core.standard_streams import claim\n"
        "source, sink = claim()\n"
        "print('from python', flush=True)\n"
        "os.write(1, b'from a descriptor\\n')\n"
        "subprocess.run(['sh', '-c', 'echo from a child; cat'], timeout=20)\n"
        "os.write(sink, b'protocol\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"for the protocol\n", capture_output=True, timeout=60, cwd=CHECKOUT,
        env=environment(tmp_path), check=False,
    )  # fmt: skip
    assert done.stdout == b"protocol\n"
    assert done.stderr == b"from python\nfrom a descriptor\nfrom a child\n"


def test_errors_name_what_is_wrong_and_what_to_do(tmp_path: Path, workspace: Path) -> None:
    async def test() -> None:
        async with opened(tmp_path) as editor:
            agent = editor.agent
            session = await editor.new(workspace)
            picture = ImageContentBlock(type="image", data="", mime_type="image/png")
            wrong = {
                "relative": (agent.new_session(cwd="here", mcp_servers=[]), -32602, "not absolute"),
                "missing": (agent.new_session(cwd=str(workspace / "no"), mcp_servers=[]), -32602, "no"),
                "home": (agent.new_session(cwd=os.environ["HOME"], mcp_servers=[]), -32602, "home"),
                "two": (agent.new_session(cwd=str(workspace), additional_directories=["/x"]), -32602, "one folder"),
                "unknown": (editor.say("nobody", "Do it"), -32002, "'nobody' is not open here"),
                "load": (agent.load_session(cwd=str(workspace), session_id="nobody"), -32002, "'nobody'"),
                "empty": (editor.say(session, "  "), -32602, "empty"),
                "picture": (agent.prompt(session_id=session, prompt=[picture]), -32602, "cannot hold image"),
                "option": (agent.set_config_option("colour", session, "red"), -32602, "'colour'"),
                "check": (agent.set_config_option("check", session, "rm -rf ."), -32602, "/check COMMAND"),
                "cursor": (agent.list_sessions(cursor="x"), -32602, "cursor"),
            }
            for name, (call, code, words) in wrong.items():
                with pytest.raises(RequestError) as caught:
                    await asyncio.wait_for(call, 30)
                assert (name, caught.value.code) == (name, code)
                assert words in str(caught.value), name
                assert caught.value.data["details"] == str(caught.value), name
            for command, words in (("/turns many", "'many'"), ("/diff 'x", "quotes"), ("/check", "needs a value")):
                assert (await editor.say(session, command)).stop_reason == "end_turn"
                assert words in editor.text().rpartition("*error:*")[2]
            await agent.cancel(session_id="nobody")
            with pytest.raises(RequestError, match="super-agent up"):  # no server: the run was begun, and says why
                await editor.say(session, "Do it")
            assert "ended by an error" in editor.text()

    asyncio.run(test())
    assert (tmp_path / "stderr.txt").read_text() == ""


@pytest.mark.parametrize("how", ["closes its end", "is killed", "sends SIGTERM"])
def test_an_editor_that_goes_leaves_nothing_running(tmp_path: Path, workspace: Path, how: str) -> None:
    agent: list[psutil.Process] = []

    async def test() -> None:
        async with opened(tmp_path, "--base-url", server.base_url, "--model", server.model, "--solo") as editor:
            session = await editor.new(workspace)
            prompt = asyncio.ensure_future(editor.say(session, "Do it"))
            while len(server.chats) < 2:
                await asyncio.sleep(0.02)
            process = psutil.Process(editor.process.pid)
            agent.extend([process, *process.children(recursive=True)])
            assert len(agent) > 1
            if how == "closes its end":
                editor.process.stdin.close()  # type: ignore[union-attr]
            else:
                editor.process.send_signal(9 if how == "is killed" else 15)
            code = await asyncio.wait_for(editor.process.wait(), 20)
            assert code == (-9 if how == "is killed" else 0)
            prompt.cancel()

    block = "```python\nprint(1)\n```"
    with ScriptedOllama(executor=[block, Silence()]) as server:
        asyncio.run(test())
    wait_until(lambda: not any(process.is_running() for process in agent), "the end of all its processes")
    assert (tmp_path / "stderr.txt").read_text() == ""


def test_without_the_package_one_line_says_what_to_install(super_agent: SuperAgent, tmp_path: Path) -> None:
    (tmp_path / "acp.py").write_text("raise ModuleNotFoundError(\"No module named 'acp'\", name='acp')\n")
    done = super_agent("acp", PYTHONPATH=str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert "pip install 'super-agent[acp]'" in done.err
    assert done.err.count("\n") == 1


def test_a_setting_that_cannot_be_ends_it_before_the_protocol_begins(super_agent: SuperAgent) -> None:
    done = super_agent("acp", "--max-turns", "none")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "--max-turns=none" in done.err


def test_the_command_line_is_no_slower_for_it() -> None:
    program = "import sys; import super_agent.cli.main; sys.exit('acp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, timeout=60, check=False).returncode == 0


def test_what_only_a_run_needs_is_not_loaded_before_the_first_message() -> None:
    """`initialize` within a second: no run is wired, and the package's models built when they are used."""
    program = (
        "import sys; from super_agent.acp.serve_acp import load_protocol; load_protocol()\n"
        "import super_agent.acp.agent\n"
        "from acp import schema; from pydantic import BaseModel\n"
        "assert 'super_agent.session.run_context' not in sys.modules and 'urllib3' not in sys.modules\n"
        "models = [v for v in vars(schema).values() if isinstance(v, type) and issubclass(v, BaseModel)]\n"
        "assert len(models) > 200 and sum(m.__pydantic_complete__ for m in models) < 50\n"
        "class Own(BaseModel):\n    number: int\n"
        "assert Own.__pydantic_complete__\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=CHECKOUT, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
