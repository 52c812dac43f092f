"""Tasks go in, results come out, none is lost and the user's folder is not touched."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.batch.conftest import CHECK, RIGHT, Lines, results, run_batch, solve
from tests.cli.background import start
from tests.cli.conftest import CHECKOUT, SuperAgent
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse, Say


def test_each_task_has_a_result_and_a_patch_and_the_users_folder_stays(
    super_agent: SuperAgent, lines: Lines, source: Path, tmp_path: Path
) -> None:
    good = {"id": "good", "task": "Write add.py", "workspace": str(source), "check": CHECK}
    tasks = lines(good, good | {"id": "bad", "task": "hopeless", "limits": {"turns": 1}})
    out = tmp_path / "out"
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(super_agent, server, tasks, out, "--html", str(tmp_path / "page.html"))
    assert done.code == 1, done.err
    assert done.out.startswith("1 of 2 tasks done · 1 done · 1 not done · 2 attempts")
    assert done.out.count("\n") == 1
    found = {line["id"]: line for line in results(out)}
    assert {name: (r["outcome"], r["reason"], r["exit_code"], r["final"]) for name, r in found.items()} == {
        "good": ("done", "check_passed", 0, True),
        "bad": ("not done", "turn_limit", 1, True),
    }
    assert found["good"]["tokens_sent"] > 0
    assert found["good"]["model_s"] > 0
    assert found["good"]["digest"]
    assert "+    return a + b" in (out / found["good"]["patch"]).read_text()
    assert [p.name for p in source.iterdir()] == ["notes.txt"]
    assert list((out / "runs").iterdir()) == []
    assert json.loads((out / "summary.json").read_text())["outcomes"] == {"done": 1, "not done": 1}
    assert "return a + b" in json.loads((out / "preds.json").read_text())["good"]["model_patch"]
    assert "1 of 2 tasks done" in (tmp_path / "page.html").read_text()


def test_the_same_command_runs_only_what_has_no_result_yet(
    super_agent: SuperAgent, lines: Lines, tmp_path: Path
) -> None:
    task = {"id": "a", "task": "Write add.py", "check": CHECK}
    with ScriptedOllama(autogen=solve) as server:
        first = run_batch(super_agent, server, lines(task), tmp_path / "out")
        asked = len(server.chats)
        again = run_batch(super_agent, server, lines(task), tmp_path / "out")
        assert len(server.chats) == asked
        edited = run_batch(super_agent, server, lines(task | {"task": "Write add.py anew"}), tmp_path / "out")
    assert (first.code, again.code, edited.code) == (0, 0, 0)
    assert [line["attempt"] for line in results(tmp_path / "out")] == [1, 1]


def test_a_failing_server_is_tried_twice_more_and_work_not_done_never(
    super_agent: SuperAgent, lines: Lines, tmp_path: Path
) -> None:
    def answer(_request: object) -> Refuse:
        return Refuse(500, "the runner is gone")

    fast = {"SUPER_AGENT_RETRIES": "0", "SUPER_AGENT_RETRY_WAIT_S": "0.01"}
    with ScriptedOllama(autogen=answer) as server:
        done = run_batch(super_agent, server, lines({"id": "a", "task": "x", "check": CHECK}), tmp_path / "out", **fast)
    assert done.code == 1, done.err
    lines_ = [(r["attempt"], r["outcome"], r["final"]) for r in results(tmp_path / "out")]
    assert lines_ == [(1, "server", False), (2, "server", False), (3, "server", True)]
    with ScriptedOllama(autogen=solve) as server:  # what failed in passing is tried again by the same command
        again = run_batch(super_agent, server, lines({"id": "a", "task": "x", "check": CHECK}), tmp_path / "out")
    assert again.code == 0, again.err
    assert results(tmp_path / "out")[-1]["attempt"] == 4


def test_a_driver_killed_in_the_middle_goes_on_with_the_same_session(lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    asked = []

    def slow(request: object) -> Say | str:
        asked.append(request)
        text = solve(request)
        return Say("```python other.py\nX = 1\n```") if text == RIGHT and len(asked) < 3 else Say(text, wait_s=0.5)

    tasks = lines({"id": "a", "task": "Write add.py", "check": CHECK})
    with ScriptedOllama(autogen=slow) as server:
        where = ("--out", str(tmp_path / "out"), "--base-url", server.base_url, "--model", server.model)
        process = start(tmp_path, "batch", str(tasks), *where)
        server.wait_for_requests(1, 30)
        deadline = time.monotonic() + 60
        while len(asked) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate(timeout=30)
        assert results(tmp_path / "out") == []
        process = start(tmp_path, "batch", str(tasks), *where)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, out + err
    (line,) = results(tmp_path / "out")
    assert line["outcome"] == "done"
    planned = [r for r in asked if r.prompt[-1][1].rsplit("\n\n", 1)[-1].startswith("Planner")]  # type: ignore[attr-defined]
    assert len(planned) == 1, "it was begun anew"


def test_ctrl_c_leaves_what_can_be_gone_on_with(lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    tasks = lines(*({"id": f"t{n}", "task": "Write add.py", "check": CHECK} for n in range(3)))
    with ScriptedOllama(autogen=lambda request: Say(solve(request), wait_s=0.5)) as server:
        where = ("--out", str(tmp_path / "out"), "--base-url", server.base_url, "--model", server.model)
        process = start(tmp_path, "batch", str(tasks), *where)
        deadline = time.monotonic() + 60
        while not server.chats and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, out + err
        assert "give the same command again" in out
        process = start(tmp_path, "batch", str(tasks), *where)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, out + err
    assert sorted(line["id"] for line in results(tmp_path / "out")) == ["t0", "t1", "t2"]


def test_a_repository_is_written_at_its_commit_and_its_programs_never_run(
    super_agent: SuperAgent, lines: Lines, tmp_path: Path
) -> None:
    repo = tmp_path / "repo"
    git = ("git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-C", str(repo))
    repo.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    (repo / "old.txt").write_text("old\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (repo / "answer.txt").write_text("later\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "two"], check=True)
    trap = f"sh -c 'touch {tmp_path}/ran'"
    for name in ("core.fsmonitor", "uploadpack.packObjectsHook", "filter.x.smudge"):
        subprocess.run([*git, "config", name, trap], check=True)
    check = "test -f old.txt -a ! -e answer.txt -a ! -e .git -a -f add.py"
    task = {"instance_id": "own__repo-1", "problem_statement": "Write add.py", "repo": "own/repo", "patch": "answer"}
    (tmp_path / "clones" / "own").mkdir(parents=True)
    os.symlink(repo, tmp_path / "clones" / "own" / "repo")
    own = {"id": "mine", "task": "Write add.py", "repo": str(repo), "commit": commit, "check": check}
    swe = task | {"base_commit": commit}
    with ScriptedOllama(autogen=solve, executor=lambda _request: "Done.") as server:
        done = run_batch(
            super_agent, server, lines(own, swe), tmp_path / "out", "--repos", str(tmp_path / "clones"), "--max-turns=1"
        )
    assert [line["reason"] for line in results(tmp_path / "out")] == ["check_passed", "turn_limit"], done.err
    assert not (tmp_path / "ran").exists()


def test_a_folder_of_tasks_and_standard_input_are_read(super_agent: SuperAgent, tmp_path: Path) -> None:
    folder = tmp_path / "many" / "one"
    folder.mkdir(parents=True)
    (folder / "task.md").write_text("Write add.py")
    (folder / "task.json").write_text(json.dumps({"check": CHECK}))
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(super_agent, server, tmp_path / "many", tmp_path / "out")
        where = ("--out", str(tmp_path / "second"), "--base-url", server.base_url, "--model", server.model)
        line = json.dumps({"id": "x", "task": "Write add.py", "check": CHECK})
        piped = super_agent("batch", "-", *where, "--json", stdin=line)
    assert done.code == 0, done.err
    assert piped.code == 0, piped.err
    assert {json.loads(line)["version"] for line in piped.out.splitlines()} == {1}
    events = [json.loads(line) for line in piped.out.splitlines()]
    others = [event["type"] for event in events if event["type"] != "task_event"]
    assert others == ["batch_started", "task_started", "task_finished", "batch_ended"]
    told = [event for event in events if event["type"] == "task_event"]
    assert {(event["id"], event["attempt"]) for event in told} == {("x", 1)}
    assert [event["event"]["type"] for event in (told[0], told[-1])] == ["run_started", "run_ended"]


def test_enough_failures_or_time_end_it(super_agent: SuperAgent, lines: Lines, tmp_path: Path) -> None:
    hopeless = {"task": "hopeless", "check": CHECK, "limits": {"turns": 1}}
    tasks = lines(*(hopeless | {"id": f"t{n}"} for n in range(3)))
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(super_agent, server, tasks, tmp_path / "out", "--until-failures", "1")
        assert len(results(tmp_path / "out")) == 1
        timed = run_batch(super_agent, server, tasks, tmp_path / "timed", "--time", "1s")
    assert done.code == 1
    assert "ended: 1 tasks were not done · 2 left: give the same command again" in done.out
    assert "ended: its time of 1 s is over" in timed.out


def test_a_patch_is_applied_whole_or_not_at_all(
    super_agent: SuperAgent, lines: Lines, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    subprocess.run(["git", "init", "-q", str(source.parent)], check=True)
    task = {"id": "a", "task": "Write add.py", "workspace": str(source), "check": CHECK}
    with ScriptedOllama(autogen=solve) as server:
        run_batch(super_agent, server, lines(task), out)
    nobody = super_agent("batch", "apply", str(out), "a")
    assert (nobody.code, (source / "add.py").exists()) == (2, False)
    assert "+    return a + b" in nobody.out
    done = super_agent("batch", "apply", os.path.relpath(out, CHECKOUT), "a", "--yes")
    assert done.code == 0, done.err
    assert (source / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    again = super_agent("batch", "apply", str(out), "a", "--yes")
    assert again.code == 1
    back = done.out.split("`")[1]
    subprocess.run(back, shell=True, cwd=source, check=True)
    assert not (source / "add.py").exists(), back
    assert "Nothing was changed" in again.err
    unknown = super_agent("batch", "apply", str(out), "b", "--yes")
    assert (unknown.code, "It has a" in unknown.err) == (2, True)
