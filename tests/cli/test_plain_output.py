"""What commands write outside of a run's events: in any encoding, harmless, and with --json where a script reads it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from super_agent.cli.say import one_line
from tests.cli.conftest import CHECKOUT, SuperAgent, environment
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Raw

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_verify_writes_what_the_encoding_can_express(super_agent: SuperAgent, encoding: str, lang: str) -> None:
    with ScriptedOllama() as server:
        where = ("--base-url", server.base_url, "--model", server.model)
        done = super_agent("verify", "--quick", *where, PYTHONIOENCODING=encoding, SUPER_AGENT_LANG=lang)
        told = super_agent("verify", "--quick", "--json", *where, PYTHONIOENCODING=encoding, SUPER_AGENT_LANG=lang)
    assert (done.code, done.err, done.out.count("[ok]")) == (0, "", 4), done
    assert (told.code, len(json.loads(told.out)["checks"])) == (0, 5), told


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_sandbox_writes_what_the_encoding_can_express(super_agent: SuperAgent, tmp_path: Path, encoding: str) -> None:
    workspace = tmp_path / "grüße"
    workspace.mkdir()
    done = super_agent("sandbox", "-w", str(workspace), PYTHONIOENCODING=encoding)
    told = super_agent("sandbox", "--json", "-w", str(workspace), PYTHONIOENCODING=encoding)
    assert (done.code, done.err) == (0, ""), done
    assert done.out.count("[ok]") >= 20
    assert "grüße" in " ".join(json.loads(told.out)["holds"])


def test_an_error_keeps_to_one_harmless_line_whatever_the_server_says(super_agent: SuperAgent) -> None:
    said = "\x1b]0;owned\x07\x1b[2Jfirst\nsecond \u202eback"
    with ScriptedOllama() as server:
        server.overrides["/api/ps"] = Raw(json.dumps({"error": said}).encode(), 400)
        done = super_agent("ps", "--base-url", server.base_url)
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "first second" in done.err
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x80-\x9f\u202e]", done.err)


def test_an_error_with_a_file_s_name_is_one_harmless_line(super_agent: SuperAgent, tmp_path: Path) -> None:
    done = super_agent("run", "x", "-w", str(tmp_path / "no\nsuch\x1b[31m"))
    assert (done.code, done.err.count("\n"), "\x1b" in done.err) == (2, 1, False)


def test_the_line_of_an_error_keeps_its_words() -> None:
    assert one_line("a\r\n  b\u2028c\x9b31m") == "a b\ufffdc\ufffd31m"


def redirected(tmp_path: Path, redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command whose standard streams a shell has redirected or closed."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "super_agent.cli.main", *arguments]
    told = environment(tmp_path)
    return subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, env=told, timeout=60, check=False)


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(
    "command", [["exec", "say nothing"], ["exec", "say nothing", "--json"], ["show"], ["sessions"]]
)
def test_a_command_without_standard_streams_does_its_work(
    tmp_path: Path, a_diff: list[str], command: list[str], redirection: str
) -> None:
    with ScriptedOllama(["Nothing to do."]) as server:
        where = ["--base-url", server.base_url, "--model", server.model] if command[0] == "exec" else []
        done = redirected(tmp_path, redirection, *command, *a_diff[1:], *where)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", [["exec", "say nothing"], ["show", "--json"], ["sessions"], ["diff"]])
def test_output_that_cannot_be_written_is_said_in_one_line(
    tmp_path: Path, a_diff: list[str], command: list[str]
) -> None:
    with ScriptedOllama(["Nothing to do."]) as server:
        where = ["--base-url", server.base_url, "--model", server.model] if command[0] == "exec" else []
        done = redirected(tmp_path, ">/dev/full", *command, *a_diff[1:], *where)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "the output cannot be written: No space left on device. Make room" in done.stderr


@pytest.mark.parametrize("command", [["--version"], ["--help"], ["run", "--help"]])
def test_help_that_cannot_be_written_is_said_in_one_line(tmp_path: Path, command: list[str]) -> None:
    done = redirected(tmp_path, ">/dev/full", *command)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "the output cannot be written" in done.stderr


def test_down_says_as_json_whether_it_unloaded(super_agent: SuperAgent) -> None:
    with ScriptedOllama() as server:
        where = ("--base-url", server.base_url, "--model", server.model, "--json")
        before = super_agent("down", *where)
        server.catalogue.use(server.catalogue.models[f"{server.model}:latest"])
        after = super_agent("down", *where)
    assert json.loads(before.out) == {"version": 1, "model": "scripted", "unloaded": False}
    assert json.loads(after.out) == {"version": 1, "model": "scripted:latest", "unloaded": True}


def test_removed_sessions_are_told_as_json(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(["Nothing to do.", "Nothing to do."]) as server:
        where = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model)
        for _ in range(2):
            super_agent("exec", "say nothing", *where)
    listed = json.loads(super_agent("sessions", "-w", str(workspace), "--json").out)["sessions"]
    newest, oldest = [row["id"] for row in listed]
    removed = super_agent("sessions", "rm", oldest, "--json")
    pruned = super_agent("sessions", "prune", "--keep", "0", "-w", str(workspace), "--json")
    assert json.loads(removed.out) == {"version": 1, "removed": [oldest]}
    assert json.loads(pruned.out) == {"version": 1, "removed": [newest]}


def in_a_terminal(arguments: list[str], environ: dict[str, str], timeout_s: float = 30) -> str:
    """What a command writes to a terminal of its own."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "super_agent.cli.main", *arguments]
    with subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, cwd=CHECKOUT, env=environ, start_new_session=True
    ) as process:
        os.close(follower)
        data, deadline = b"", time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not select.select([leader], [], [], 1.0)[0]:
                continue
            try:
                part = os.read(leader, 65536)
            except OSError:  # the last holder of the other end is gone
                break
            if not part:
                break
            data += part
        process.kill()
    os.close(leader)
    return data.decode("utf-8", "replace")


@pytest.fixture
def a_diff(super_agent: SuperAgent, workspace: Path) -> list[str]:
    """The arguments that show a stored change."""
    with ScriptedOllama(["```python\nopen('a', 'w').write('a')\n```", "Done."]) as server:
        done = super_agent(
            "exec", "write a", "-w", str(workspace), "--base-url", server.base_url, "--model", server.model
        )
    assert done.code == 0, done
    return ["diff", "-w", str(workspace)]


def test_a_terminal_gets_colours_unless_it_or_the_user_wants_none(tmp_path: Path, a_diff: list[str]) -> None:
    usual = environment(tmp_path) | {"TERM": "xterm-256color"}
    assert "\x1b[32m+a" in in_a_terminal(a_diff, usual)
    for wish in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = in_a_terminal(a_diff, usual | wish)
        assert "+a" in shown
        assert "\x1b" not in shown, (wish, shown)


@pytest.mark.parametrize("command", [["show"], ["sessions"], ["--help"], ["run", "--help"], ["nonsense"]])
def test_no_command_steers_a_dumb_terminal(
    tmp_path: Path, workspace: Path, a_diff: list[str], command: list[str]
) -> None:
    where = ["-w", str(workspace)] if command[0] in ("show", "sessions") else []
    shown = in_a_terminal([*command, *where], environment(tmp_path) | {"TERM": "dumb"})
    assert shown.strip()
    assert "\x1b" not in shown


def test_a_run_in_a_dumb_terminal_is_plain_and_one_without_colours_has_none(tmp_path: Path, workspace: Path) -> None:
    usual = environment(tmp_path) | {"TERM": "xterm-256color"}
    with ScriptedOllama(["Nothing to do."] * 2) as server:
        arguments = ["exec", "say nothing", "-w", str(workspace)]
        arguments += ["--base-url", server.base_url, "--model", server.model]
        dumb = in_a_terminal(arguments, usual | {"TERM": "dumb"})
        bare = in_a_terminal(arguments, usual | {"NO_COLOR": "1"})
    assert "Nothing to do." in dumb
    assert "\x1b" not in dumb
    colours = [code for code in ESCAPE.findall(bare) if re.search(r"\x1b\[(?:[\d;]*;)?(?:3|4|9|10)\d", code)]
    assert "Nothing to do." in bare
    assert colours == []
