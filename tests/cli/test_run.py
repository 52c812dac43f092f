"""Whole runs from the command line, with a scripted model and everything else real."""

from pathlib import Path

from super_agent.core.model.sampling import PATIENCE
from tests.cli.adding import ACCEPT, CHECK, PLAN, RIGHT, WRONG, events, where
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse, Say


def test_the_team_works_until_the_check_passes(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=[PLAN, WRONG, RIGHT]) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
    assert done.code == 0, done.err
    seen = events(done.out)
    assert (workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert [e["seq"] for e in seen] == list(range(1, len(seen) + 1))
    assert [e["type"] for e in seen if e["type"] in ("turn_started", "verdict_given", "check_finished")] == [
        "check_finished",
        "turn_started",
        "check_finished",
        "turn_started",
        "check_finished",
    ]
    end = seen[-1]
    assert (end["type"], end["reason"], end["turns"], end["files_changed"]) == (
        "run_ended",
        "check_passed",
        2,
        ["add.py"],
    )
    assert [(u["client"], u["requests"]) for u in end["usage"]] == [("autogen", 3)]


def test_each_prompt_of_the_team_extends_the_one_before_it(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=[PLAN, WRONG, RIGHT]) as server:
        super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK)
        prompts = [request.prompt for request in server.chats]
    assert len(prompts) == 3
    for before, after, reply in zip(prompts, prompts[1:], [PLAN, WRONG], strict=False):
        assert after[: len(before)] == before
        assert after[len(before)] == ("assistant", reply)


def test_without_a_check_the_executor_tries_the_work_and_the_reviewer_ends_it(
    super_agent: SuperAgent, workspace: Path
) -> None:
    team, executor = [PLAN, RIGHT, ACCEPT], ["```python\nfrom add import add\nprint(add(2, 3))\n```", "It prints 5."]
    with ScriptedOllama(autogen=team, executor=executor) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--json")
        requests = server.chats
    assert done.code == 0, done.err
    seen = events(done.out)
    assert "".join(e["text"] for e in seen if e["type"] == "output_streamed") == "5\n"
    assert seen[-1]["reason"] == "accepted"
    # The two contexts never mix: the executor sees no prompt of the team, the team only the report.
    native = [r for r in requests if r.client == "open-interpreter"]
    assert {r.path for r in native} == {"/api/chat"}
    assert all("Planner" not in text for r in native for _, text in r.prompt)
    assert "Interpreter: done. It prints 5." in requests[-1].prompt[-1][1]


def test_no_request_of_either_client_carries_a_runner_option(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=[PLAN, RIGHT, ACCEPT], executor=["Fine."]) as server:
        super_agent("run", "Write add.py", *where(server, workspace))
        requests = server.chats
    assert {frozenset(r.body) for r in requests if r.client == "autogen"} <= {
        frozenset({"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", *more})
        for more in ((), ("stop",), ("response_format",))
    }
    assert {frozenset(r.body["options"]) for r in requests if r.client == "open-interpreter"} == {
        frozenset({"temperature", "top_p", "num_predict"})
    }
    assert {r.body["model"] for r in requests} == {server.model}


def test_a_server_that_fails_for_a_moment_ends_no_run(super_agent: SuperAgent, workspace: Path) -> None:
    half = Say(WRONG, end="cut", pieces_before_end=3)
    team = [Refuse(503, "busy"), PLAN, half, RIGHT, Say("", end="cut", pieces_before_end=0), ACCEPT]
    executor = [Say("```py", end="cut"), "```python\nprint(6 * 7)\n```", "It prints 42."]
    with ScriptedOllama(autogen=team, executor=executor) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--json", SUPER_AGENT_RETRY_WAIT_S="0.01")
        prompts = [request.prompt for request in server.chats if request.client == "autogen"]
    assert done.code == 0, done.err
    seen = [e for e in events(done.out) if e["type"] in ("retried", "reply_discarded")]
    assert [(e["type"], e["client"]) for e in seen] == [
        ("retried", "autogen"),
        ("reply_discarded", "autogen"),
        ("retried", "autogen"),
        ("reply_discarded", "open-interpreter"),
        ("retried", "open-interpreter"),
        ("retried", "autogen"),
    ]
    # Nothing of the half reply is in any prompt: the transcript holds whole replies only.
    assert prompts[2] == prompts[3]
    assert not [text for prompt in prompts for _, text in prompt if text == WRONG[:12]]
    assert (workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert [u["requests"] for u in events(done.out)[-1]["usage"]] == [3, 2]


def test_the_same_failure_twice_is_no_progress_and_exit_1(super_agent: SuperAgent, workspace: Path) -> None:
    again = WRONG.replace("a - b", "b - a")
    with ScriptedOllama(autogen=[PLAN, WRONG, *[again] * (PATIENCE + 1)]) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK)
    assert done.code == 1, done.err
    assert "ended: no progress" in done.out


def test_a_limit_of_turns_is_exit_1_and_says_how_to_go_on(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=[PLAN, WRONG]) as server:
        done = super_agent("run", "x", *where(server, workspace), "--check", CHECK, "--max-turns", "1")
    assert done.code == 1, done.err
    assert "raise --max-turns" in done.out


def test_a_limit_of_tokens_is_exit_1(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(autogen=[PLAN, WRONG]) as server:
        done = super_agent("run", "x", *where(server, workspace), "--check", CHECK, "--max-tokens", "10")
    assert done.code == 1, done.err
    assert "of its 10 tokens" in done.out


def test_solo_gives_the_job_to_the_executor_with_the_same_check(super_agent: SuperAgent, workspace: Path) -> None:
    write = '```python\nopen("add.py", "w").write("def add(a, b):\\n    return a {} b\\n")\n```'
    replies = [write.format("-"), "Done.", write.format("+"), "Done."]
    with ScriptedOllama(executor=replies) as server:
        done = super_agent("run", "--solo", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
    assert done.code == 0, done.err
    end = events(done.out)[-1]
    assert (end["reason"], end["turns"], end["files_changed"]) == ("check_passed", 2, ["add.py"])
    assert [u["client"] for u in end["usage"]] == ["open-interpreter"]


def test_exec_ends_with_0_when_the_conversation_ends_by_itself(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(executor=["```shell\necho hi; exit 3\n```", "It failed as it should."]) as server:
        done = super_agent("exec", "Say hi", *where(server, workspace))
        observation = server.chats[1].prompt[-1][1]
    assert done.code == 0, done.err
    assert "exit code 3" in observation
    assert "hi" in done.out


def test_the_task_may_come_from_a_file_or_standard_input(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "task.txt").write_text("Say hi\n")
    with ScriptedOllama(executor=["hi", "hi"]) as server:
        by_file = super_agent("exec", "--file", str(tmp_path / "task.txt"), *where(server, workspace))
        by_stdin = super_agent("exec", *where(server, workspace), stdin="Say hi\n")
        tasks = [request.prompt[-1][1].strip() for request in server.chats]
    assert (by_file.code, by_stdin.code) == (0, 0)
    assert tasks == ["Say hi", "Say hi"]


def test_a_confirmed_setup_command_runs_first(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(executor=["fine"]) as server:
        done = super_agent("exec", "x", *where(server, workspace), "--setup", "touch made", "--yes")
    assert done.code == 0, done.err
    assert (workspace / "made").exists()


def test_what_a_setup_command_installs_is_what_the_executor_uses(super_agent: SuperAgent, workspace: Path) -> None:
    module = "pathlib.Path(sys.prefix, 'lib', f'python3.{sys.version_info[1]}', 'site-packages', 'installed.py')"
    setup = f"python -c \"import pathlib, sys; {module}.write_text('answer = 42')\""
    with ScriptedOllama(executor=["```python\nimport installed; installed.answer\n```", "Done."]) as server:
        done = super_agent("exec", "x", *where(server, workspace), "--setup", setup, "--yes", "--json")
    assert done.code == 0, done.err
    assert "".join(e["text"] for e in events(done.out) if e["type"] == "output_streamed") == "42\n"
    assert list(workspace.glob(".venv/lib/*/site-packages/installed.py"))


def test_an_env_file_of_the_workspace_is_named_and_not_read(super_agent: SuperAgent, workspace: Path) -> None:
    (workspace / ".env").write_text("SUPER_AGENT_SANDBOX=none\n")
    with ScriptedOllama(executor=["fine"]) as server:
        done = super_agent("exec", "x", *where(server, workspace))
    assert "sets SUPER_AGENT_SANDBOX and is not read" in done.out
    assert "sandbox: bubblewrap" in done.out


def test_the_original_of_a_replaced_file_is_kept(super_agent: SuperAgent, workspace: Path, tmp_path: Path) -> None:
    (workspace / "add.py").write_text("old\n")
    with ScriptedOllama(autogen=[PLAN, RIGHT]) as server:
        super_agent("run", "Fix add.py", *where(server, workspace), "--check", CHECK)
    [index] = (tmp_path / "home" / "state").glob("sessions/*/originals/index.tsv")
    name = index.read_text().split("\t")[0]
    assert (index.parent / name).read_text() == "old\n"
