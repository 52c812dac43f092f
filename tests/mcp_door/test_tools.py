"""Every tool with the library's client in this process, in both eras of the protocol."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from super_agent.mcp.tool_registration import MAX_TASK_CHARS
from tests.mcp_door.conftest import CHECK, CODE, PLAN, SCRIPT, World, play, refused, structured, until
from tests.scripted_replies import Silence

TOOLS = ["cancel", "diff", "get_result", "instance", "run_task", "sessions", "undo"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_task_is_done_and_looked_at_and_taken_back(world: Callable[..., World], mode: str) -> None:
    here = world(*SCRIPT)

    async def scene() -> None:
        async with here.in_process(mode) as client:
            listed = (await client.list_tools()).tools
            assert sorted(tool.name for tool in listed) == TOOLS
            assert all(tool.output_schema and tool.input_schema for tool in listed)
            assert all(tool.description and "  " not in tool.description for tool in listed)
            asked = {"task": "Write add.py with add(a, b).", "check": CHECK}
            done = structured(await client.call_tool("run_task", asked, progress_callback=here.hear))
            session = done["session"]
            assert (done["outcome"], done["reason"], done["files"], done["turns"]) == (
                "done", "check_passed", ["add.py"], 1,
            )  # fmt: skip
            assert "+    return a + b" in done["diff"]
            assert not done["diff_is_cut"]
            assert done["cost"]["requests"] == 2
            assert done["cost"]["prompt_tokens"] > done["cost"]["completion_tokens"] > 0
            assert here.session == session
            again = structured(await client.call_tool("get_result", {"session": session}))
            assert {**again, "notes": []} == {**done, "notes": []}
            cut = structured(await client.call_tool("diff", {"session": session, "max_chars": 40}))
            rest = structured(await client.call_tool("diff", {"session": session, "offset": cut["next_offset"]}))
            assert (cut["diff"] + rest["diff"], rest["next_offset"]) == (done["diff"], None)
            known = structured(await client.call_tool("sessions"))["sessions"]
            assert [(row["session"], row["outcome"], row["files"]) for row in known] == [(session, "done", 1)]
            undone = structured(await client.call_tool("undo", {"session": session}))
            assert undone["changed"] == [{"path": "add.py", "action": "delete"}]
            assert not (here.workspace / "add.py").exists()
            redone = structured(await client.call_tool("undo", {"session": session, "redo": True}))
            assert redone["changed"] == [{"path": "add.py", "action": "create"}]
            assert (here.workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
            seen = structured(await client.call_tool("instance"))
            assert seen["one_instance"]
            assert [model["context_length"] for model in seen["models"]] == [8192]

    play(scene)


def test_a_caller_that_cannot_wait_comes_back_for_the_result(world: Callable[..., World]) -> None:
    go_on = threading.Event()

    def slow(_request: Any) -> str:
        assert go_on.wait(60)
        return CODE

    here = world(PLAN, slow)

    async def scene() -> None:
        async with here.in_process() as client:
            begun = structured(
                await client.call_tool("run_task", {"task": "Write add.py", "check": CHECK, "wait_s": 0})
            )
            assert begun["outcome"] == "running"
            assert begun["session"] in begun["next"]
            waited = structured(await client.call_tool("get_result", {"session": begun["session"], "wait_s": 0.2}))
            assert waited["outcome"] == "running"
            assert begun["session"] in waited["doing"]
            held = await client.call_tool("undo", {"session": begun["session"]})
            assert "is held by pid" in refused(held)
            go_on.set()
            done = structured(await client.call_tool("get_result", {"session": begun["session"], "wait_s": 60}))
            assert (done["outcome"], done["files"]) == ("done", ["add.py"])

    play(scene)


def test_progress_comes_while_the_model_says_nothing(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("super_agent.mcp.tools.REPORT_EVERY_S", 0.3)
    here = world(Silence())

    async def scene() -> None:
        async with here.in_process() as client:
            call = client.call_tool("run_task", {"task": "Write add.py", "wait_s": 4}, progress_callback=here.hear)
            begun = structured(await call)
            assert begun["outcome"] == "running"
            assert sum(line.startswith(f"session {begun['session']}") for line in here.said) >= 5
            ended = structured(await client.call_tool("cancel", {"session": begun["session"]}))
            assert (ended["outcome"], ended["reason"]) == ("cancelled", "interrupted")

    play(scene)


def test_a_cancelled_call_ends_the_run(world: Callable[..., World]) -> None:
    here = world(Silence())

    async def scene() -> None:
        async with here.in_process() as client:
            call = asyncio.create_task(client.call_tool("run_task", {"task": "x"}, progress_callback=here.hear))
            await until(lambda: here.ollama.chats, "the first request")
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert here.ollama.chats[0].left.wait(5)
            rows = structured(await client.call_tool("sessions"))["sessions"]
            assert [row["outcome"] for row in rows] == ["cancelled"]

    play(scene)


def test_two_callers_at_once_share_the_model(world: Callable[..., World]) -> None:
    here = world(executor=lambda _request: "Done.")
    for name in "ab":
        (here.workspace / name).mkdir()

    async def scene() -> None:
        async with here.in_process() as one, here.in_process() as other:
            both = await asyncio.gather(
                *(
                    client.call_tool(
                        "run_task", {"task": "Look.", "mode": "solo", "workspace": str(here.workspace / name)}
                    )
                    for client, name in ((one, "a"), (other, "b"))
                )
            )
            results = [structured(result) for result in both]
            assert len({result["session"] for result in results}) == 2
            assert {Path(result["workspace"]).name for result in results} == {"a", "b"}
            assert all(result["outcome"] != "running" for result in results)

    play(scene)


@pytest.mark.parametrize("make", ["outside", "link", "inner_link", "missing", "nul", "relative_up"])
def test_only_the_allowed_folders_are_worked_in(world: Callable[..., World], make: str) -> None:
    here = world()
    (here.folder / "outside").mkdir()
    (here.workspace / "link").symlink_to(here.folder / "outside")
    (here.folder / "outside" / "deep").mkdir()
    asked = {
        "outside": str(here.folder / "outside"),
        "link": str(here.workspace / "link"),
        "inner_link": str(here.workspace / "link" / "deep"),
        "missing": str(here.workspace / "none"),
        "nul": str(here.workspace) + "/\0",
        "relative_up": "../outside",
    }[make]

    async def scene() -> None:
        async with here.in_process() as client:
            said = refused(await client.call_tool("run_task", {"task": "x", "workspace": asked}))
            assert str(here.workspace) in said
            assert structured(await client.call_tool("sessions"))["sessions"] == []

    play(scene)
    assert here.ollama.requests == []


def test_sessions_of_foreign_folders_are_unknown(world: Callable[..., World]) -> None:
    here = world(executor=lambda _request: "Done.")
    (here.folder / "outside").mkdir()

    async def elsewhere() -> str:
        async with here.in_process(root=here.folder / "outside") as client:
            return str(structured(await client.call_tool("run_task", {"task": "Look.", "mode": "solo"}))["session"])

    async def scene(session: str) -> None:
        async with here.in_process() as client:
            for tool in ("get_result", "cancel", "diff", "undo"):
                said = refused(await client.call_tool(tool, {"session": session}))
                assert "no session of an allowed folder" in said
            assert structured(await client.call_tool("sessions"))["sessions"] == []

    session = play(elsewhere)
    play(lambda: scene(session))


def test_bad_arguments_are_told_and_nothing_begins(world: Callable[..., World]) -> None:
    here = world()

    async def scene() -> None:
        async with here.in_process() as client:
            for tool, asked, said in (
                ("run_task", {"task": ""}, "at least 1 character"),
                ("run_task", {"task": "x" * (MAX_TASK_CHARS + 1)}, "at most"),
                ("run_task", {}, "Field required"),
                ("run_task", {"task": "x", "mode": "exec"}, "'team' or 'solo'"),
                ("run_task", {"task": "x", "wait_s": -1}, "greater than or equal to 0"),
                ("run_task", {"task": "x", "check": "no-such-program"}, "a program that does not exist"),
                ("get_result", {"session": "nothing"}, "no session"),
                ("undo", {"session": "nothing", "redo": True, "to_turn": 1}, "both redo and to_turn"),
            ):
                assert said in refused(await client.call_tool(tool, asked))

    play(scene)
    assert here.ollama.chats == []
