"""A run that was ended, by whatever, goes on from its last complete turn."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from super_agent.core.store.store import Store
from tests.cli.adding import ACCEPT, CHECK, REVISE, RIGHT, WRONG, events, where
from tests.cli.background import start, wait_until
from tests.cli.conftest import SuperAgent
from tests.scripted_http import Request
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Answer, Say, Silence


def only(seen: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [e for e in seen if e["type"] == kind]
    return found


def by_cue(coder: list[Answer], reviewer: str = REVISE) -> Callable[[Request], Answer]:
    """A team whose coder says what is next in the list; the others always say the same."""
    rest = iter(coder)

    def answer(request: Request) -> Answer:
        cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
        if cue.startswith("Planner"):
            return "1. Write add.py."
        return reviewer if cue.startswith("Reviewer") else next(rest)

    return answer


def asked_coder(server: ScriptedOllama) -> list[Request]:
    return [r for r in server.chats if "Coder" in r.prompt[-1][1].rsplit("\n\n", 1)[-1]]


def killed_in_turn_two(
    tmp_path: Path, workspace: Path, server: ScriptedOllama, number: int = signal.SIGKILL
) -> list[dict[str, Any]]:
    """A run ended while its coder is asked for the second time."""
    run = start(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
    wait_until(lambda: len(asked_coder(server)) == 2, "the second turn")
    run.send_signal(number)
    out, _ = run.communicate(timeout=30)
    return events(out)


def test_after_kill_9_the_run_goes_on_with_the_same_prompt(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    with ScriptedOllama(autogen=by_cue([WRONG, Silence(), RIGHT])) as server:
        before = killed_in_turn_two(tmp_path, workspace, server)
        done = super_agent("resume", "--json", "--workspace", str(workspace))
        prompts = [r.prompt for r in server.chats]
    assert done.code == 0, done.out + done.err
    seen = events(done.out)
    assert prompts[-1] == prompts[-2]  # byte for byte, so the server's cache still serves
    assert (workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    resumed = seen[0]
    assert (resumed["type"], resumed["turns"], resumed["session"]) == ("run_resumed", 1, before[0]["session"])
    assert (resumed["rolled_back"], resumed["changed_meanwhile"]) == ([], [])
    assert (seen[-1]["reason"], seen[-1]["turns"]) == ("check_passed", 2)
    assert only(seen, "run_ended")["usage"][0]["requests"] == 3  # counted on: planner, coder, coder


def test_what_a_broken_turn_wrote_is_taken_back_and_what_the_user_did_since_is_told(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    half = "```python half.py\nx = 1\n```\n```run\nwait\n```"
    with ScriptedOllama(autogen=by_cue([half, RIGHT]), executor=[Silence()]) as server:
        run = start(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        server.wait_for_requests(1)
        wait_until(lambda: any(r.client == "open-interpreter" for r in server.chats), "a call of the executor")
        run.kill()
        run.communicate(timeout=30)
        assert (workspace / "half.py").exists()
        time.sleep(1.1)  # what is changed within a second of the last sign of life counts as the run's own
        (workspace / "notes.txt").write_text("mine\n")
        done = super_agent("resume", "--json", "--workspace", str(workspace))
        prompt = server.chats[-1].prompt
    assert done.code == 0, done.out + done.err
    resumed = events(done.out)[0]
    assert (resumed["rolled_back"], resumed["changed_meanwhile"]) == (["half.py"], ["notes.txt"])
    assert not (workspace / "half.py").exists()
    assert (workspace / "notes.txt").read_text() == "mine\n"
    assert any("While nobody worked, the user changed these files: notes.txt." in text for _, text in prompt)


def test_after_ctrl_c_it_goes_on(super_agent: SuperAgent, workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(autogen=by_cue([WRONG, Silence(), RIGHT])) as server:
        seen = killed_in_turn_two(tmp_path, workspace, server, signal.SIGINT)
        assert seen[-1]["reason"] == "interrupted"
        done = super_agent("resume", "--json", "--workspace", str(workspace))
    assert done.code == 0, done.out + done.err
    assert events(done.out)[-1]["turns"] == 2


def test_a_run_at_its_limit_of_turns_goes_on_with_more_of_them(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=by_cue([WRONG, RIGHT])) as server:
        first = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK, "--max-turns", "1")
        refused = super_agent("resume", "--workspace", str(workspace))
        done = super_agent("resume", "--workspace", str(workspace), "--more-turns", "1", "--json")
    assert (first.code, refused.code) == (1, 2)
    assert "Give it --more-turns N" in refused.err
    assert done.code == 0, done.out + done.err
    assert events(done.out)[-1]["turns"] == 2


def test_a_run_that_was_done_goes_on_with_something_new(super_agent: SuperAgent, workspace: Path) -> None:
    more = "```python sub.py\ndef sub(a, b):\n    return a - b\n```"
    with ScriptedOllama(autogen=by_cue([RIGHT, more], reviewer=ACCEPT)) as server:
        first = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        session = events(first.out)[0]["session"]
        refused = super_agent("resume", "--workspace", str(workspace))
        done = super_agent("resume", session, "also write sub.py", "--json")
        last = asked_coder(server)[-1].prompt[-1][1]
    assert refused.code == 2
    assert f'super-agent resume {session} "…"' in refused.err
    assert done.code == 0, done.out + done.err
    end = events(done.out)[-1]
    assert (end["reason"], end["turns"]) == ("accepted", 2)
    assert "The user says: also write sub.py" in last
    assert (workspace / "sub.py").exists()


def test_solo_goes_on_and_its_model_is_told_that_python_was_restarted(super_agent: SuperAgent, workspace: Path) -> None:
    wrong = "```python\nopen('add.py', 'w').write('def add(a, b):\\n    return a - b\\n')\n```"
    right = wrong.replace("a - b", "a + b")
    with ScriptedOllama(executor=[wrong, "Done.", right, "Done."]) as server:
        first = super_agent(
            "run", "--solo", "Write add.py", *where(server, workspace), "--check", CHECK, "--max-turns", "1"
        )
        done = super_agent("resume", "--workspace", str(workspace), "--more-turns", "3", "--json")
        prompts = [r.prompt for r in server.chats]
    assert first.code == 1
    assert done.code == 0, done.out + done.err
    assert prompts[2][: len(prompts[1])] == prompts[1]
    assert "The Python process was restarted" in prompts[2][-1][1]
    assert events(done.out)[-1]["turns"] == 2


def test_a_session_that_runs_is_not_taken_up_twice(super_agent: SuperAgent, workspace: Path, tmp_path: Path) -> None:
    with ScriptedOllama(autogen=by_cue([WRONG, Silence(), Silence()])) as server:
        run = start(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        wait_until(lambda: len(server.chats) == 3, "the second turn")
        done = super_agent("resume", "--workspace", str(workspace))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
    assert done.code == 2
    assert f"is held by pid {run.pid}" in done.err
    assert done.err.count("\n") == 1


def test_without_a_session_there_is_one_line(super_agent: SuperAgent, workspace: Path) -> None:
    done = super_agent("resume", "--workspace", str(workspace))
    assert done.code == 2
    assert done.err == f"super-agent: no session worked in {workspace}. See super-agent sessions --all\n"


def test_show_tells_the_whole_session_over_its_interruption(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    slow = Say(RIGHT, wait_s=30)
    with ScriptedOllama(autogen=by_cue([WRONG, slow, RIGHT])) as server:
        killed_in_turn_two(tmp_path, workspace, server)
        super_agent("resume", "--workspace", str(workspace))
        shown = super_agent("show", "--json", "--workspace", str(workspace))
    seen = events(shown.out)
    assert [e["seq"] for e in seen] == sorted({e["seq"] for e in seen})
    assert [e["type"] for e in seen if e["type"].startswith(("run_", "turn_"))] == [
        "run_started",
        "turn_started",
        "run_resumed",
        "turn_started",
        "run_ended",
    ]
    with Store.open(tmp_path / "home" / "state") as store:
        (row,) = store.sessions(workspace)
    assert (row.state, row.reason, row.turns, row.files) == ("ended", "check_passed", 2, ("add.py",))
