"""What a resume asks in a terminal about files of which nobody can tell who changed them, and what each answer does."""

import os
from pathlib import Path

import pytest

from tests.cli.adding import RIGHT
from tests.cli.conftest import SuperAgent
from tests.cli.test_approval import Screen
from tests.cli.test_resume import by_cue
from tests.cli.test_resume_keeps import HALF, executor, killed
from tests.scripted_ollama import ScriptedOllama

QUESTION = "Changed while code of the broken turn ran, by it or by somebody else: notes.txt, ready.flag. Take it back?"
# The code makes `ready.flag` by a name that does not stand in it.
CODE = "import time\nopen('ready' + '.flag', 'w').close()\ntime.sleep(60)"
INTERRUPT = "\x03"


@pytest.mark.parametrize(
    ("answer", "code", "notes", "flag", "half"),
    [("y\r", 0, "before\n", False, False), ("n\r", 0, "mine\n", True, False), (INTERRUPT, 130, "mine\n", True, True)],
    ids=["yes", "no", "Ctrl-C"],
)
def test_the_terminal_asks_and_does_what_is_answered(
    tmp_path: Path, workspace: Path, super_agent: SuperAgent, answer: str, code: int, notes: str, flag: bool, half: bool
) -> None:
    (workspace / "notes.txt").write_text("before\n")
    with ScriptedOllama(autogen=by_cue([HALF, RIGHT]), executor=executor(CODE)) as server:
        killed(
            tmp_path, workspace, server, lambda: (workspace / "ready.flag").exists(),
            lambda: (workspace / "notes.txt").write_text("mine\n") and None,
        )  # fmt: skip
        screen = Screen(("resume", "-w", str(workspace)), tmp_path / "home", COLUMNS="200")
        try:
            screen.reads(QUESTION)
            screen.types(answer)
            ended = screen.ends()
        finally:
            screen.process.kill()
            screen.process.wait()
            os.close(screen.master)
    assert ended == code, screen.shown
    assert "Traceback" not in screen.shown
    assert (workspace / "notes.txt").read_text() == notes
    assert (workspace / "ready.flag").exists() is flag
    assert (workspace / "half.py").exists() is half
    assert ("cannot be told whether" in screen.shown) is (answer == "n\r")
    if answer == INTERRUPT:
        return
    back = super_agent("undo", "--before-resume", "--yes", "--workspace", str(workspace))
    assert back.code == 0, back.err
    assert (workspace / "notes.txt").read_text() == "mine\n"
