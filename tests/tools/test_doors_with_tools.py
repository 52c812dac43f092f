"""`--mcp` at every door: given on to its runs, and checked before the door is opened."""

import json
from pathlib import Path
from typing import Any

import pytest

from super_agent.batch.run_batch import run_flags
from super_agent.batch.task_index import TaskIndex
from super_agent.batch.tasks import Task
from super_agent.core.settings import Settings
from tests.acp.editor import Editor
from tests.acp.test_runs import run as run_in_editor
from tests.cli.adding import events, where
from tests.cli.conftest import SuperAgent, super_agent, workspace
from tests.mcp_door.conftest import World, play, structured, world
from tests.scripted_ollama import ScriptedOllama
from tests.tools.test_runs_with_tools import ADD, FAIL, write_list

__all__ = ["super_agent", "workspace", "world"]


@pytest.mark.parametrize(
    "command", [("acp",), ("mcp", "--root", "/tmp"), ("web", "--no-open"), ("batch", "tasks.jsonl"), ("run", "x")]
)
def test_a_server_that_is_not_listed_keeps_the_door_shut(super_agent: SuperAgent, command: tuple[str, ...]) -> None:
    done = super_agent(*command, "--mcp", "sums")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "--mcp needs the list of servers" in done.err


def test_a_cluster_is_told_to_have_no_list(super_agent: SuperAgent, tmp_path: Path) -> None:
    write_list(tmp_path)
    (tmp_path / "tasks.jsonl").write_text("")
    done = super_agent("batch", str(tmp_path / "tasks.jsonl"), "--mcp", "sums", "--ray")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "--mcp sums is not used with --ray" in done.err


def test_a_batch_gives_the_names_on_and_its_results_depend_on_them(tmp_path: Path) -> None:
    assert run_flags({"mcp": ("a", "b")}, None) == ("--mcp=a", "--mcp=b")
    hashes = [
        TaskIndex.write(tmp_path / "index", [Task(id="x", task="x", workspace="/w")], Settings(mcp=names))
        .entries[0].hash
        for names in ((), ("a",), ("b",))
    ]  # fmt: skip
    assert len(set(hashes)) == 3


def test_a_run_over_acp_has_them_asks_about_them_and_says_that_nothing_holds_them(
    tmp_path: Path, workspace: Path
) -> None:
    write_list(tmp_path)

    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        assert (await editor.say(session, "Add")).stop_reason == "end_turn"
        assert len(editor.asked) == 1
        asked = editor.asked[0][0].tool_call_id
        calls = {call["tool_call_id"]: call for call in editor.calls().values()}
        assert "sums.fail" in json.dumps(calls[asked]["raw_input"])
        assert [call["status"] for call in calls.values() if call["title"].startswith("tool")] == [
            "completed",
            "failed",
        ]
        assert "the sandbox does not hold the MCP servers sums" in editor.text()
        assert "- risk: the sandbox did not hold these MCP servers: sums\n" in editor.text().rpartition("**done")[2]

    with ScriptedOllama(executor=[ADD, FAIL, "It is 5."]) as server:
        run_in_editor(tmp_path, server, test, "--solo", "--mcp", "sums")
        assert "5 apples" in server.chats[1].prompt[-1][1]


def test_a_task_of_another_agent_has_them_and_nobody_is_asked(world: Any, tmp_path: Path) -> None:
    write_list(tmp_path)
    here: World = world(executor=[ADD, FAIL, "It is 5."])
    (here.folder / "config").symlink_to(tmp_path / "home" / "config")
    here.env_file.write_text(here.env_file.read_text() + "SUPER_AGENT_MCP=sums\n")

    async def scene() -> None:
        async with here.over_stdio() as client:
            done = structured(await client.call_tool("run_task", {"task": "Add", "mode": "solo"}))
            assert any("does not hold the MCP servers sums" in note for note in done["notes"])

    play(scene)
    assert "5 apples" in here.ollama.chats[1].prompt[-1][1]
    assert "it needs a person's approval" in here.ollama.chats[2].prompt[-1][1]


def test_a_run_goes_on_with_its_tools(super_agent: SuperAgent, workspace: Path, tmp_path: Path) -> None:
    write_list(tmp_path)
    with ScriptedOllama(executor=["Hello.", ADD, "It is 5."]) as server:
        at = where(server, workspace)
        begun = super_agent("run", "--solo", "Say hello", "--mcp", "sums", "--json", *at, timeout_s=110)
        assert begun.code == 0, begun.err
        session = events(begun.out)[0]["session"]
        done = super_agent("resume", session, "Add", "--json", "-w", str(workspace), timeout_s=110)
        assert done.code == 0, done.err
        assert "5 apples" in server.chats[2].prompt[-1][1]
    assert next(e for e in events(done.out) if e["type"] == "run_resumed")["mcp"] == ["sums"]
