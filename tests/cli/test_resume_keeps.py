"""What a resume takes back after a kill is the broken turn's own; what others did stays, within reach all the same."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.adding import CHECK, RIGHT, events, where
from tests.cli.background import start, wait_until
from tests.cli.conftest import SuperAgent
from tests.cli.test_resume import by_cue
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Answer, Silence

HALF = "```python half.py\nx = 1\n```\n```run\nwait\n```"
PAUSE_S = 0.05
"""A file's time is as coarse as the kernel's tick; nobody types faster than this after a write."""


def killed(
    tmp_path: Path, workspace: Path, server: ScriptedOllama, is_time: Callable[[], bool], meanwhile: Callable[[], None]
) -> None:
    """A run that somebody works beside, and that is killed right after."""
    run = start(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
    try:
        wait_until(is_time, "the moment")
        time.sleep(PAUSE_S)
        meanwhile()
    finally:
        run.kill()
        run.communicate(timeout=30)


def asks_executor(server: ScriptedOllama) -> bool:
    return any(r.client == "open-interpreter" for r in server.chats)


def executor(code: str) -> list[Answer]:
    return [f"```python\n{code}\n```", Silence()]


def test_what_the_user_edited_while_the_broken_turn_ran_stays(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "notes.txt").write_text("before\n")
    (workspace / "old.txt").write_text("old\n")

    def edit() -> None:
        (workspace / "notes.txt").write_text("mine\n")
        (workspace / "old.txt").unlink()
        (workspace / "new.txt").write_text("mine too\n")

    with ScriptedOllama(autogen=by_cue([HALF, RIGHT]), executor=[Silence()]) as server:
        killed(tmp_path, workspace, server, lambda: asks_executor(server), edit)
        assert (workspace / "half.py").exists()
        done = super_agent("resume", "--json", "--workspace", str(workspace))
    assert done.code == 0, done.out + done.err
    resumed = events(done.out)[0]
    assert resumed["rolled_back"] == ["half.py"]
    assert resumed["changed_meanwhile"] == ["new.txt", "notes.txt", "old.txt"]
    assert {p.name: p.read_text() for p in workspace.glob("*.txt")} == {"notes.txt": "mine\n", "new.txt": "mine too\n"}

    back = super_agent("undo", "--before-resume", "--yes", "--workspace", str(workspace))
    assert back.code == 0, back.out + back.err
    assert (workspace / "half.py").read_text() == "x = 1\n"
    assert not (workspace / "add.py").exists()
    assert (workspace / "notes.txt").read_text() == "mine\n"


def test_a_file_of_the_coder_that_the_user_went_on_with_stays(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    with ScriptedOllama(autogen=by_cue([HALF, RIGHT]), executor=[Silence()]) as server:
        killed(
            tmp_path, workspace, server, lambda: asks_executor(server),
            lambda: (workspace / "half.py").write_text("x = 2\n") and None,
        )  # fmt: skip
        done = super_agent("resume", "--json", "--workspace", str(workspace))
    assert events(done.out)[0]["changed_meanwhile"] == ["half.py"]
    assert (workspace / "half.py").read_text() == "x = 2\n"


def test_what_changed_while_code_ran_that_does_not_name_it_is_kept_and_said(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "notes.txt").write_text("before\n")
    code = "import time\nopen('made.txt', 'w').write('made')\nopen('ready' + '.flag', 'w').close()\ntime.sleep(60)"
    with ScriptedOllama(autogen=by_cue([HALF, RIGHT]), executor=executor(code)) as server:
        killed(
            tmp_path, workspace, server, lambda: (workspace / "ready.flag").exists(),
            lambda: (workspace / "notes.txt").write_text("mine\n") and None,
        )  # fmt: skip
        done = super_agent("resume", "--json", "--workspace", str(workspace))
    assert done.code == 0, done.out + done.err
    seen = events(done.out)
    assert seen[0]["rolled_back"] == ["half.py", "made.txt"]
    assert seen[0]["changed_meanwhile"] == ["notes.txt", "ready.flag"]
    told = [e["text"] for e in seen if e["type"] == "notice" and "cannot be told" in e["text"]]
    assert [text.rpartition(": ")[2] for text in told] == ["notes.txt, ready.flag"]
    assert (workspace / "notes.txt").read_text() == "mine\n"


def test_a_run_killed_before_its_first_turn_is_begun_again(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    silent = [Silence()]

    def team(request: object) -> Answer:
        return silent.pop() if silent else by_cue([RIGHT])(request)  # type: ignore[arg-type]

    with ScriptedOllama(autogen=team) as server:
        run = start(
            tmp_path, "run", "Write add.py", *where(server, workspace), "--check", "sleep 30; " + CHECK, "--json"
        )
        wait_until(lambda: (tmp_path / "home" / "state" / "sessions.db").exists(), "the store")
        state = tmp_path / "home" / "state" / "sessions"
        wait_until(lambda: any(state.glob("*/turn.jsonl")), "the session's start")
        time.sleep(1)
        run.kill()
        run.communicate(timeout=30)
        begun = next(iter(state.glob("*/begun.json")))
        begun.write_text(begun.read_text().replace("sleep 30; ", ""))
        silent.clear()
        done = super_agent("resume", "--json", "--workspace", str(workspace))
        sessions = super_agent("sessions", "--json", "--workspace", str(workspace))
        undone = super_agent("undo", "--yes", "--workspace", str(workspace))
    assert done.code == 0, done.out + done.err
    seen = events(done.out)
    assert (seen[0]["type"], seen[0]["task"], seen[0]["seq"]) == ("run_started", "Write add.py", 1)
    assert (seen[-1]["reason"], seen[-1]["turns"]) == ("check_passed", 1)
    assert sessions.out.count('"id"') == 1
    assert undone.code == 0, undone.err
    assert not (workspace / "add.py").exists()
