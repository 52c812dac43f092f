"""A task that begins with a dash is a task; what is typed is kept only where runs are kept."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import CHECKOUT, SuperAgent, environment
from tests.scripted_ollama import ScriptedOllama

LIST = "- rename greet to hello\n- update the test"
SECRET = "my key is SECRET-4711"


def told_task(super_agent: SuperAgent, workspace: Path, *arguments: str, stdin: str | None = None) -> str:
    with ScriptedOllama(["Nothing to do."]) as server:
        where = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model, "--json")
        # Options stand on both sides of a task.
        done = super_agent("exec", *where, *arguments, stdin=stdin)
    assert done.code == 0, done
    return str(json.loads(done.out.splitlines()[0])["task"])


@pytest.mark.parametrize("task", [LIST, "-fix the parser", "--json flag for report.py, please", "-w is ignored"])
def test_an_argument_with_white_space_is_the_task(super_agent: SuperAgent, workspace: Path, task: str) -> None:
    assert told_task(super_agent, workspace, task) == task


def test_a_task_behind_two_dashes_or_from_a_pipe_is_taken_too(super_agent: SuperAgent, workspace: Path) -> None:
    assert told_task(super_agent, workspace, "--", LIST) == LIST
    assert told_task(super_agent, workspace, "--max-turns", "3", "--", "-fix") == "-fix"
    assert told_task(super_agent, workspace, stdin=LIST) == LIST


def test_a_task_from_a_pipe_that_is_no_text_is_refused_in_every_locale(tmp_path: Path, workspace: Path) -> None:
    command = [sys.executable, "-m", "super_agent.cli.main", "exec", "-w", str(workspace)]
    for locale in ("C", "C.UTF-8"):
        told = environment(tmp_path) | {"LC_ALL": locale}
        done = subprocess.run(command, input=b"caf\xe9", capture_output=True, cwd=CHECKOUT, env=told, check=False)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
        assert b"the task cannot be read" in done.stderr


def test_the_value_of_an_option_stays_its_value(super_agent: SuperAgent, workspace: Path) -> None:
    done = super_agent("run", "--check", "-no such program", "- do it", "-w", str(workspace))
    assert done.code == 2
    assert "-no such program" in done.err


def test_a_word_that_is_no_option_is_told_how_to_become_a_task(super_agent: SuperAgent, workspace: Path) -> None:
    done = super_agent("run", "--fix", "-w", str(workspace))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "put -- before a task that begins with a dash" in done.err


def test_what_resume_is_to_do_next_may_begin_with_a_dash(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(["Nothing to do."] * 2) as server:
        where = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model)
        assert super_agent("exec", "say nothing", *where).code == 0
        [row] = json.loads(super_agent("sessions", "-w", str(workspace), "--json").out)["sessions"]
        done = super_agent("resume", row["id"], "- and this too", *where, "--json")
    assert done.code == 0, done
    assert "- and this too" in done.out


def converse(tmp_path: Path, workspace: Path, *arguments: str, **environ: str) -> None:
    """One line in a conversation, then Ctrl-D."""
    leader, follower = pty.openpty()
    with ScriptedOllama(["Noted."]) as server:
        command = [sys.executable, "-m", "super_agent.cli.main", "exec", "-w", str(workspace), *arguments]
        command += ["--base-url", server.base_url, "--model", server.model]
        told = environment(tmp_path) | {"TERM": "xterm"} | environ
        with subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, cwd=CHECKOUT, env=told, start_new_session=True
        ) as process:
            os.close(follower)
            try:
                _read_until(leader, "›")
                os.write(leader, f"{SECRET}\r".encode())
                _read_until(leader, "Noted.")
                _read_until(leader, "›")
                os.write(leader, b"\x04")
                _read_until(leader, "")
                assert process.wait(20) == 0
            finally:
                process.kill()
                os.close(leader)


def _read_until(leader: int, words: str, timeout_s: float = 30) -> None:
    """Read on until the words came; all, without words."""
    seen, deadline = b"", time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            part = os.read(leader, 65536)
        except OSError:
            part = b""
        if not part:
            assert not words, seen
            return
        if b"\x1b[6n" in part:
            os.write(leader, b"\x1b[1;1R")  # where the cursor is, which line editors ask
        seen += part
        if words and words in seen.decode("utf-8", "replace"):
            return
    raise AssertionError(f"no {words!r} in {seen!r}")


def kept(tmp_path: Path) -> list[str]:
    """The files of the state folder that hold what was typed, or its end."""
    files = [path for path in (tmp_path / "home" / "state").rglob("*") if path.is_file()]
    return [path.name for path in files if b"SECRET-4711" in path.read_bytes()]


def test_nothing_that_was_typed_is_kept_without_the_store(super_agent: SuperAgent, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    converse(tmp_path, workspace, "--no-store")
    converse(tmp_path, workspace, SUPER_AGENT_STORE="off")
    assert kept(tmp_path) == []


def test_typed_lines_go_with_their_session(super_agent: SuperAgent, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    converse(tmp_path, workspace)
    assert "typed" in kept(tmp_path)
    done = super_agent("sessions", "prune", "--keep", "0", "--all")
    assert done.code == 0, done
    assert kept(tmp_path) == []
