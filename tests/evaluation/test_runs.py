"""Runs from end to end on a scripted server: every outcome is a row, and what was done is not done again."""

import dataclasses
import json
from pathlib import Path

import httpx
import pytest

from evaluation.contestants import ours, raw
from evaluation.contestants.arena import Arena, Contestant, Ending, in_sandbox
from evaluation.judge import Judge
from evaluation.record import Row, Rows
from evaluation.run import Conditions, Plan, carry_out, run_one
from evaluation.task import Task, read_ours
from tests.scripted_ollama import ScriptedOllama

TASK = next(task for task in read_ours() if task.name == "mend/leap-year")
RIGHT = f"```python leap.py\n{TASK.solution['leap.py'].decode()}```"
WRONG = f"```python leap.py\n{TASK.workspace['leap.py'].decode()}# still\n```"


def run(contestant: Contestant, replies: list[str], judge: Judge, *, task: Task = TASK, budget: int = 2000) -> Row:
    answers = iter(replies)
    with ScriptedOllama(lambda _request: next(answers, "nothing more to say")) as server:
        conditions = Conditions(server.base_url, None, budget=budget, timeout_s=60)
        return run_one(server.model, 1, task, contestant, conditions, judge)


def test_the_team_solves_a_task(judge: Judge) -> None:
    row = run(ours.contestant("team"), ["1. Mend it.", RIGHT], judge)

    assert (row.solved, row.reason, row.ending, row.exit_code) == (True, "solved", "ended", 0)
    assert row.ours
    assert row.replies == ["1. Mend it.", RIGHT]
    assert (row.calls, row.lost_replies, row.evaluated) == (2, 0, None)
    assert row.reply_tokens > 0


def test_a_budget_that_is_spent_ends_a_run(judge: Judge) -> None:
    row = run(ours.contestant("team"), ["1. Mend it.", WRONG, WRONG], judge, budget=3)

    assert not row.solved
    assert row.ending == "budget"
    assert row.calls == 1


def test_a_failure_of_the_command_line_is_a_row(judge: Judge) -> None:
    row = run(ours.contestant("team", "--no-such-option"), [], judge)

    assert (row.solved, row.reason, row.exit_code, row.calls) == (False, "died", 2, 0)
    assert "no-such-option" in row.detail


def test_the_raw_model_takes_the_first_reply_that_passes(judge: Judge) -> None:
    first = run(raw.contestant(1), [WRONG, RIGHT], judge)
    second = run(raw.contestant(4), [WRONG, RIGHT, WRONG], judge)

    assert (first.solved, first.calls, first.reason) == (False, 1, "nothing changed")
    assert (second.solved, second.calls) == (True, 2)


def test_what_is_kept_of_a_run_names_no_folder_of_this_machine(judge: Judge) -> None:
    def talkative(arena: Arena) -> Ending:
        body = {"model": arena.model, "messages": [{"role": "user", "content": f"{arena.workspace}/leap.py"}]}
        httpx.post(f"{arena.url}/v1/chat/completions", json=body, trust_env=False)
        return Ending("ended", 1, f"Error in {arena.workspace}/leap.py")

    row = run(Contestant("talkative", talkative), ["no"], judge)

    assert row.detail == "Error in leap.py"


def test_a_right_answer_that_was_not_written_is_a_format_loss(judge: Judge) -> None:
    def forgetful(arena: Arena) -> Ending:
        body = {"model": arena.model, "messages": [{"role": "user", "content": "?"}]}
        httpx.post(f"{arena.url}/v1/chat/completions", json=body, trust_env=False)
        return Ending("ended", 0, "")

    row = run(Contestant("forgetful", forgetful), [RIGHT], judge)

    assert (row.reason, row.lost_replies) == ("format loss", 1)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"def is_leap(year:\n", "syntax error"), (b"def is_leap(year): return True\n", "wrong")]
)
def test_what_was_left_says_why_it_failed(content: bytes, reason: str, judge: Judge) -> None:
    def write(arena: Arena) -> Ending:
        (arena.workspace / "leap.py").write_bytes(content)
        return Ending("ended", 0, "")

    assert run(Contestant("writer", write), [], judge).reason == reason


def test_a_contestant_that_raises_is_a_row_and_the_rest_goes_on(tmp_path: Path, judge: Judge) -> None:
    def broken(arena: Arena) -> Ending:
        raise RuntimeError("it broke")

    def idle(arena: Arena) -> Ending:
        return Ending("ended", 0, "")

    contestants = [Contestant("broken", broken), Contestant("idle", idle)]
    told: list[str] = []
    path = tmp_path / "runs.jsonl"
    conditions = Conditions("http://127.0.0.1:9", None)
    plan = Plan(["m"], [TASK], contestants, [1])

    carry_out(plan, conditions, Rows(path), judge, told.append)
    assert [(row.contestant, row.reason) for row in Rows(path).rows] == [
        ("broken", "died"),
        ("idle", "nothing changed"),
    ]
    assert "RuntimeError: it broke" in Rows(path).rows[0].detail
    assert "all done" in told[-1]

    again: list[str] = []
    with path.open("a") as file:
        file.write('{"cut off')
    carry_out(dataclasses.replace(plan, seeds=[1, 2]), conditions, Rows(path), judge, again.append)
    assert again[0] == "2 runs to do, 2 done before"
    assert [(row.contestant, row.seed) for row in Rows(path).rows[2:]] == [("broken", 2), ("idle", 2)]
    assert sum(line.startswith('{"cut') for line in path.read_text().splitlines()) == 1
    assert all(json.loads(line) for line in path.read_text().splitlines() if not line.startswith('{"cut'))


def test_a_foreign_program_works_in_the_sandbox_and_reaches_only_its_folder(tmp_path: Path, judge: Judge) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the user")
    program = f"import os, pathlib; pathlib.Path('leap.py').write_text('x = 1'); print(os.path.exists({str(secret)!r}))"

    def foreign(arena: Arena) -> Ending:
        return in_sandbox(arena, judge.python, ["python", "-c", program], {})

    row = run(Contestant("foreign", foreign), [], judge)

    assert (row.reason, row.ending, row.detail.strip()) == ("wrong", "ended", "False")


def test_a_program_that_does_not_end_is_ended(judge: Judge) -> None:
    def forever(arena: Arena) -> Ending:
        short = dataclasses.replace(arena, timeout_s=0.5)
        return in_sandbox(short, judge.python, ["python", "-c", "while True: pass"], {})

    row = run(Contestant("forever", forever), [], judge)

    assert (row.reason, row.ending) == ("time limit", "time")
    assert row.wall_s < 20
