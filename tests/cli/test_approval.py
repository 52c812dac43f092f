"""A person is asked before code runs: in a real terminal, with a scripted model and everything else real."""

import codecs
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interpreter.approval import reasons_to_ask
from interpreter.roles import PLACES
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core import events as ev
from tests.cli.conftest import CHECKOUT, SuperAgent
from tests.cli.test_render_plain import after_start
from tests.scripted_ollama import ScriptedOllama

CODE = 'open("made.txt", "a").write("made\\n")'
BLOCK = f"```python\n{CODE}\n```"
QUESTION = "q stop: ▏"
PROMPT = "›"
READ_TIMEOUT_S = 30.0


class Screen:
    """`super-agent` in a terminal of its own."""

    def __init__(self, arguments: tuple[str, ...], home: Path, **environ: str) -> None:
        self.master, slave = pty.openpty()
        self.shown = ""
        self._read = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "super_agent.cli.main", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=CHECKOUT,
            # A session of its own, whose controlling terminal this is: Ctrl-C must reach it as a signal.
            preexec_fn=lambda: (os.setsid(), _control(0)),
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME")},
                "TERM": "xterm",
                "COLUMNS": "120",
                "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody answers where the cursor is
                "XDG_CONFIG_HOME": str(home / "config"),
                "SUPER_AGENT_STATE_DIR": str(home / "state"),
                **environ,
            },
        )
        os.close(slave)

    def reads(self, text: str) -> str:
        """What is shown up to a text, from where the last one ended; raises `AssertionError` where it does not come."""
        began = self._read
        while (at := self.shown.find(text, began)) < 0:
            if not self._more(READ_TIMEOUT_S):
                raise AssertionError(f"{text!r} is not shown after {self.shown[:began]!r} but {self.shown[began:]!r}")
        self._read = at + len(text)
        return self.shown[began : self._read]

    def _more(self, timeout_s: float) -> bool:
        """Whether something came before the time was over or the other end was closed."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += self._decoder.decode(data)
        return bool(data)

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ends(self) -> int:
        """The exit code, once the rest was read."""
        while self._more(READ_TIMEOUT_S):
            continue
        return self.process.wait(READ_TIMEOUT_S)


def _control(descriptor: int) -> None:
    import fcntl

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


StartScreen = Callable[..., Screen]


@pytest.fixture
def start(tmp_path: Path, workspace: Path) -> Iterator[StartScreen]:
    """Start `exec TASK` with approval in a terminal, against a scripted model."""
    screens: list[Screen] = []

    def begin(server: ScriptedOllama, *arguments: str, task: str | None = "do it", **environ: str) -> Screen:
        given = ("exec", *((task,) if task else ()), "--approve", "always", "-w", str(workspace))
        given += ("--base-url", server.base_url, "--model", server.model, *arguments)
        screens.append(Screen(given, tmp_path, **environ))
        return screens[-1]

    yield begin
    for screen in screens:
        if screen.process.poll() is None:
            screen.process.kill()
            screen.process.wait()
        os.close(screen.master)


@pytest.mark.parametrize(
    ("approve", "contained", "network", "asked"),
    [
        (None, True, False, False),
        (None, True, True, False),
        (None, False, False, True),
        ("never", False, True, False),
        ("risky", True, False, False),
        ("risky", True, True, True),
        ("risky", False, False, True),
        ("always", True, False, True),
    ],
)
def test_who_is_asked_follows_from_the_setting_and_the_sandbox(
    workspace: Path,
    approve: str | None,
    contained: bool,
    network: bool,
    asked: bool,
) -> None:
    policy = SandboxPolicy(workspace, Path(sys.executable), contained=contained, network=network)
    assert bool(reasons_to_ask(approve, policy)) == asked  # type: ignore[arg-type]


def test_code_runs_after_yes_and_not_before(start: StartScreen, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        screen = start(server)
        before = screen.reads(QUESTION)
        assert "may it run? (you asked for it (--approve always))" in before
        assert not (workspace / "made.txt").exists()
        for no_answer in ("\r", "maybe\r", "y but\r"):
            screen.types(no_answer)
            screen.reads(QUESTION)
        screen.types("r\r")
        assert screen.ends() == 0, screen.shown
    assert (workspace / "made.txt").read_text() == "made\n"
    assert "the code may run" in screen.shown


def test_always_asks_once(start: StartScreen, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, BLOCK + "\n", "Done."]) as server:
        screen = start(server)
        screen.reads(QUESTION)
        screen.types("a\r")
        assert screen.ends() == 0, screen.shown
    assert (workspace / "made.txt").read_text() == "made\nmade\n"
    assert "by your" not in screen.shown
    assert "the user said always for this run" in screen.shown


def test_a_skip_reaches_the_model_with_its_reason(start: StartScreen, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Then not."]) as server:
        screen = start(server)
        screen.reads(QUESTION)
        screen.types("s write it elsewhere\r")
        assert screen.ends() == 0, screen.shown
        told = server.chats[-1].prompt[-1][1]
    assert not (workspace / "made.txt").exists()
    assert told == (
        "The python code did not run: the user skipped it: write it elsewhere. Do something else, or finish."
    )


def test_edited_code_is_asked_about_again_and_told_to_the_model(
    start: StartScreen, workspace: Path, tmp_path: Path
) -> None:
    editor = tmp_path / "editor with a space"
    editor.write_text('#!/bin/sh\nstty -a | grep -q " echo " && sed -i s/made.n/changed/ "$2"\n')
    editor.chmod(0o755)
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        screen = start(server, EDITOR=f"'{editor}' -x")
        screen.reads(QUESTION)
        screen.types("e\r")
        screen.reads("as you changed it")
        screen.reads(QUESTION)
        screen.types("r\r")
        assert screen.ends() == 0, screen.shown
        told = server.chats[-1].prompt[-1][1]
    assert (workspace / "made.txt").read_text() == "changed"
    assert "The user changed the code before it ran" in told
    assert '.write("changed")' in told


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "there is no editor"),
        ({"EDITOR": "/nowhere/editor"}, "No such file"),
        ({"VISUAL": "false"}, "it ended with exit code 1"),
        ({"EDITOR": "truncate -s 0"}, "no code was left"),
    ],
)
def test_an_editor_that_does_not_work_is_said_and_the_question_comes_again(
    start: StartScreen, workspace: Path, environ: dict[str, str], said: str
) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        screen = start(server, **environ)
        screen.reads(QUESTION)
        screen.types("e\r")
        screen.reads(said)
        screen.reads(QUESTION)
        screen.types("s\r")
        assert screen.ends() == 0, screen.shown
    assert not (workspace / "made.txt").exists()


@pytest.mark.parametrize("mode", [("exec", "do it"), ("run", "--solo", "do it"), ("run", "do it")])
@pytest.mark.parametrize("answer", ["\x03", "q\r"])
def test_ctrl_c_and_stop_at_the_question_end_the_run(
    workspace: Path, tmp_path: Path, mode: tuple[str, ...], answer: str
) -> None:
    team = ["1. Try.", "```run\nTry it.\n```"]
    with ScriptedOllama(autogen=team, executor=[BLOCK, "Done."]) as server:
        at = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model, "--approve", "always")
        screen = Screen((*mode, *at), tmp_path)
        screen.reads(QUESTION)
        screen.types(answer)
        assert screen.ends() == 130, screen.shown
        os.close(screen.master)
    assert not (workspace / "made.txt").exists()
    assert "the code was not run and the run ends" in screen.shown
    assert "✗ interrupted" in screen.shown


def test_waiting_for_a_person_costs_neither_the_codes_time_nor_the_runs(start: StartScreen, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        screen = start(server, "--max-time", "8")
        screen.reads(QUESTION)
        with pytest.raises(subprocess.TimeoutExpired):
            screen.process.wait(9)
        screen.types("r\r")
        assert screen.ends() == 0, screen.shown
    assert (workspace / "made.txt").read_text() == "made\n"


def test_in_a_conversation_the_question_takes_its_answer_and_ctrl_c_ends_only_the_action(
    start: StartScreen, workspace: Path
) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done.", BLOCK, BLOCK, "Bye."]) as server:
        screen = start(server, task=None)
        screen.reads(PROMPT)
        screen.types("do it\r")
        screen.reads(QUESTION)
        screen.types("r\r")
        screen.reads("Done.")
        screen.reads(PROMPT)
        screen.types("again\r")
        screen.reads(QUESTION)
        screen.types("\x03")
        screen.reads("the conversation goes on")
        screen.reads(PROMPT)
        screen.types("once more\r")
        screen.reads(QUESTION)
        screen.types("r\r")
        screen.reads("Bye.")
        screen.reads(PROMPT)
        screen.types("\x04")
        assert screen.ends() == 0, screen.shown
    assert (workspace / "made.txt").read_text() == "made\nmade\n"


@pytest.mark.parametrize(
    ("flags", "cause"), [(("--json",), "--json asks nobody"), ((), "standard input is not a terminal")]
)
def test_where_nobody_can_answer_code_is_refused_and_the_model_told(
    super_agent: SuperAgent, workspace: Path, flags: tuple[str, ...], cause: str
) -> None:
    with ScriptedOllama(executor=[BLOCK, "Then I only say it."]) as server:
        at = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model)
        done = super_agent("exec", "do it", *at, "--sandbox", "none", *flags)
        told = server.chats[-1].prompt[-1][1]
    assert done.code == 0, done.err
    assert not (workspace / "made.txt").exists()
    assert cause in told
    assert f"nobody can be asked ({cause})" in done.out
    if flags:
        decided = [e for line in done.out.splitlines() if (e := json.loads(line))["type"] == "code_decided"]
        assert [(e["decision"], e["by"], e["code"]) for e in decided] == [("refused", "nobody", CODE)]


def test_approve_never_runs_code_without_a_sandbox_unasked(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        at = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model)
        done = super_agent("exec", "do it", *at, "--sandbox", "none", "--approve", "never")
    assert done.code == 0, done.err
    assert (workspace / "made.txt").exists()


def test_sigterm_at_the_question_ends_the_run(start: StartScreen, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Done."]) as server:
        screen = start(server)
        screen.reads(QUESTION)
        screen.process.send_signal(signal.SIGTERM)
        assert screen.ends() == 130, screen.shown
    assert not (workspace / "made.txt").exists()


def test_decisions_are_shown_in_words() -> None:
    shown = after_start(
        ev.ApprovalAsked("shell", "ls\n", ("there is no sandbox",)),
        ev.CodeDecided("skipped", "user", "the user skipped it: not now. Finish.", "shell", "ls\n"),
    )
    assert shown == (
        "  ⏸ shell, may it run? (there is no sandbox)\n  ls\n"
        "  ✗ the code was skipped: the user skipped it: not now. Finish.\n"
    )


def test_the_network_is_loud_recorded_and_risky(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(executor=[BLOCK, "Then not."]) as server:
        at = ("-w", str(workspace), "--base-url", server.base_url, "--model", server.model, "--network")
        done = super_agent("exec", "do it", *at, "--approve", "risky")
        told = server.chats[0].prompt[0][1]
    assert done.code == 0, done.err
    assert PLACES[True] in told
    assert "sandbox: bubblewrap with the network" in done.out
    assert "⚠ --network: sandboxed code has the internet" in done.out
    assert "risk    the code had the network (--network)" in done.out
    assert not (workspace / "made.txt").exists()
