"""Bad input gets one clear line on stderr and the exit code of its class, never a traceback."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Done, SuperAgent
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Raw, Say, Silence


def one_line(done: Done, code: int, *words: str) -> None:
    assert done.code == code, done
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("super-agent: ")
    assert "Traceback" not in done.err + done.out
    for word in words:
        assert word in done.err


@pytest.fixture
def website() -> Iterator[str]:
    """A web server that is not Ollama."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", ""), ("the task is empty",)),
        (("run", "   "), ("the task is empty",)),
        (("run", "x", "--max-turns", "none"), ("--max-turns", "none")),
        (("run", "x", "--max-turns", "0"), ("--max-turns=0",)),
        (("run", "x", "--sandbox", "chroot"), ("--sandbox=chroot", "bubblewrap")),
        (("run", "x", "--base-url", "http://h:port"), ("--base-url=http://h:port",)),
        (("run", "x", "--workspace", "/nonexistent/x"), ("/nonexistent/x", "does not exist")),
        (("run", "x", "--workspace", "/"), ("the workspace /",)),
        (("run", "x", "--file", "/nonexistent"), ("a task and --file",)),
        (("run", "--file", "/nonexistent"), ("/nonexistent",)),
        (("run", "x", "--env-file", "/nonexistent"), ("/nonexistent is not a file",)),
        (("run", "x", "--nonsense"), ("--nonsense",)),
        (("nonsense",), ("nonsense",)),
    ],
)
def test_a_bad_flag_or_argument_is_exit_2(
    super_agent: SuperAgent, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    one_line(super_agent(*arguments), 2, *words)


def test_an_unknown_setting_is_exit_2_with_the_near_name(super_agent: SuperAgent) -> None:
    one_line(super_agent("verify", SUPER_AGENT_MAX_TIME="3"), 2, "Did you mean SUPER_AGENT_MAX_TIME_S?")


def test_a_check_whose_program_does_not_exist_is_exit_2(super_agent: SuperAgent, workspace: Path) -> None:
    done = super_agent("run", "x", "-w", str(workspace), "--check", "no-such-program -q")
    one_line(done, 2, "no-such-program -q", "does not exist")


def test_a_check_whose_program_is_hidden_names_the_setting(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    program = tmp_path / "tools" / "bin" / "my-check"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    path = f"{program.parent}:/usr/bin:/bin:{Path(shutil.which('bwrap') or '').parent}"
    done = super_agent("run", "x", "-w", str(workspace), "--check", "my-check", PATH=path)
    one_line(done, 2, f"SUPER_AGENT_SANDBOX_PATHS={tmp_path / 'tools'}")


def test_without_bubblewrap_nothing_runs_and_it_is_exit_4(super_agent: SuperAgent, workspace: Path) -> None:
    one_line(super_agent("run", "x", "-w", str(workspace), PATH="/nonexistent"), 4, "bubblewrap", "--sandbox none")


@pytest.mark.parametrize("command", [("run", "x"), ("exec", "x"), ("run", "--solo", "x")])
def test_an_unreachable_server_is_exit_3(super_agent: SuperAgent, workspace: Path, command: tuple[str, ...]) -> None:
    done = super_agent(*command, "-w", str(workspace), "--base-url", "127.0.0.1:1")
    one_line(done, 3, "no Ollama server answers at http://127.0.0.1:1", "super-agent up")


def test_another_kind_of_server_is_exit_3(super_agent: SuperAgent, workspace: Path, website: str) -> None:
    one_line(super_agent("run", "x", "-w", str(workspace), "--base-url", website), 3, "is not Ollama")


def test_a_server_that_never_answers_is_exit_3_within_seconds(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama() as server:
        server.overrides["/api/version"] = Silence()
        done = super_agent("run", "x", "-w", str(workspace), "--base-url", server.base_url, timeout_s=20)
    one_line(done, 3, "sent no answer within 10 s")


def test_an_unknown_model_is_exit_3_with_near_names_and_the_command(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama() as server:
        done = super_agent("run", "x", "-w", str(workspace), "--base-url", server.base_url, "--model", "script")
    one_line(done, 3, "has no model script (near: scripted)", "super-agent up --model script")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Say("half a re", end="cut"), "broken"),
        (Say("x", end="error_object"), "failed after it had begun"),
        (Say("x", end="no_finish"), "ended before the reply did"),
    ],
)
@pytest.mark.parametrize("mode", ["run", "exec"])
def test_a_reply_that_breaks_off_twice_is_exit_3_and_the_run_is_summed_up(
    super_agent: SuperAgent, workspace: Path, reply: Say, words: str, mode: str
) -> None:
    with ScriptedOllama([reply, reply]) as server:
        done = super_agent(mode, "x", "-w", str(workspace), "--base-url", server.base_url, "--model", "scripted")
    one_line(done, 3, words)
    assert done.out.count("broke off and counts for nothing") == 1
    assert "ended by an error" in done.out


def test_a_setup_command_is_not_run_without_a_yes(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama() as server:
        done = super_agent("run", "x", "-w", str(workspace), "--setup", "touch made", "--base-url", server.base_url)
    one_line(done, 2, "`touch made` was not confirmed", "--yes")
    assert not (workspace / "made").exists()


@pytest.mark.parametrize("command", [("run", "Write hello.py"), ("verify",), ("exec", "x")])
def test_a_server_too_old_for_the_guarantee_is_exit_3(
    super_agent: SuperAgent, workspace: Path, command: tuple[str, ...]
) -> None:
    row = {"name": "scripted:latest", "size": 1000, "expires_at": "2318-01-01T00:00:00Z"}
    with ScriptedOllama() as server:
        server.overrides["/api/ps"] = Raw(json.dumps({"models": [row]}).encode())
        server.overrides["/api/version"] = Raw(b'{"version": "0.9.6"}')
        where = () if command[0] == "verify" else ("-w", str(workspace))
        done = super_agent(*command, *where, "--base-url", server.base_url, "--model", server.model)
    assert done.code == 3, done
    told = done.out + done.err
    assert "Ollama 0.9.6" in told
    assert "0.10.0 is the least version" in told
    assert "larger context" not in told


def test_a_cloud_model_is_refused_before_anything_is_sent_to_it(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(["hello"]) as server:
        shown = {
            "remote_model": "gpt-oss:120b",
            "remote_host": "https://ollama.com:443",
            "capabilities": ["completion"],
        }
        server.overrides["/api/show"] = Raw(json.dumps(shown).encode())
        where = ("--base-url", server.base_url, "--model", "gpt-oss:120b-cloud")
        run = super_agent("run", "x", "-w", str(workspace), *where)
        verify = super_agent("verify", *where)
        up = super_agent("up", *where)
    assert [run.code, verify.code, up.code] == [3, 3, 3]
    for done in (run, verify, up):
        assert "is a cloud model" in done.out + done.err
    assert server.chats == []
