"""What happens seldom: other processes' runs, a server that is gone, a folder that becomes a link, too many at once."""

from collections.abc import Callable

import pytest

from super_agent.core.events import RunStarted
from super_agent.core.store.store import Store
from super_agent.mcp.run_jobs import MAX_AT_ONCE, Jobs
from super_agent.mcp.task_run import NewRun
from super_agent.mcp.tool_schemas import plain
from super_agent.session.run_options import RunOptions
from tests.mcp_door.conftest import CHECK, SCRIPT, World, play, refused, structured, until
from tests.scripted_replies import Silence


def test_a_run_of_another_process_is_waited_for_and_not_cancelled(world: Callable[..., World]) -> None:
    here = world()
    facts = RunStarted("Look.", "team", str(here.workspace), "m", "http://localhost:1", None, "bubblewrap", {})

    async def scene() -> None:
        with Store.open(here.folder / "state") as store:
            recorder = store.begin("20261126-120000-abcd", facts)
            async with here.in_process() as client:
                asked = {"session": "20261126-12", "wait_s": 3}
                seen = structured(await client.call_tool("get_result", asked, progress_callback=here.hear))
                assert (seen["session"], seen["outcome"]) == ("20261126-120000-abcd", "running")
                assert set(here.said) == {"session 20261126-120000-abcd is under way in another process"}
                assert "was not started here" in refused(await client.call_tool("cancel", {"session": "2026"}))
                recorder.close()
                ended = structured(await client.call_tool("get_result", {"session": "2026", "wait_s": 30}))
                assert ended["outcome"] == "broken_off"
                assert "no snapshots" in ended["notes"][0]

    play(scene)


def test_the_instance_of_a_server_that_is_gone_is_a_failed_check(world: Callable[..., World]) -> None:
    here = world()
    here.ollama.close_door()

    async def scene() -> None:
        async with here.in_process() as client:
            seen = structured(await client.call_tool("instance"))
            assert (seen["one_instance"], seen["models"], seen["other_connections"]) == (False, [], None)
            assert next(check["name"] for check in seen["checks"] if check["status"] == "failed") == "server"
            done = structured(await client.call_tool("run_task", {"task": "x"}))
            assert (done["outcome"], done["reason"]) == ("failed", "error")
            assert "super-agent up" in done["detail"]

    play(scene)


def test_a_folder_that_became_a_link_is_not_worked_in(world: Callable[..., World]) -> None:
    here = world(Silence())
    (here.folder / "outside").mkdir()
    link = here.workspace / "project"
    link.symlink_to(here.folder / "outside")  # after it was resolved

    async def scene() -> None:
        jobs = Jobs()
        job = jobs.start(NewRun(RunOptions("x", link), here.ollama.settings(state_dir=here.folder / "state")))
        assert await job.over(60)

    play(scene)
    assert here.ollama.chats == []
    with Store.open(here.folder / "state") as store:
        assert [row.reason for row in store.sessions()] == ["interrupted"]


def test_a_caller_that_has_lost_count_is_told(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_AT_ONCE == 8
    monkeypatch.setattr("super_agent.mcp.run_jobs.MAX_AT_ONCE", 1)
    here = world(Silence())

    async def scene() -> None:
        async with here.in_process() as client:
            one = structured(await client.call_tool("run_task", {"task": "x", "wait_s": 0}))
            assert "under way already" in refused(await client.call_tool("run_task", {"task": "y"}))
            await client.call_tool("cancel", {"session": one["session"]})
            again = structured(await client.call_tool("run_task", {"task": "y", "wait_s": 0}))
            await client.call_tool("cancel", {"session": again["session"]})

    play(scene)


def test_a_diff_that_is_too_long_is_cut_and_says_so(world: Callable[..., World]) -> None:
    here = world(*SCRIPT)

    async def scene() -> None:
        async with here.in_process() as client:
            asked = {"task": "Write add.py", "check": CHECK, "max_diff_chars": 60}
            done = structured(await client.call_tool("run_task", asked))
            assert done["diff_is_cut"]
            assert 0 < len(done["diff"]) <= 60
            assert done["diff"].endswith("\n")

    play(scene)


def test_a_server_that_ends_ends_what_was_left_running(world: Callable[..., World]) -> None:
    here = world(Silence())

    async def scene() -> None:
        async with here.in_process() as client:
            await client.call_tool("run_task", {"task": "x", "wait_s": 0})
            await until(lambda: here.ollama.chats, "the first request")

    play(scene)
    assert here.ollama.chats[0].left.is_set() or here.ollama.chats[0].left.wait(5)
    with Store.open(here.folder / "state") as store:
        assert [row.reason for row in store.sessions()] == ["interrupted"]


def test_no_text_breaks_the_wire() -> None:
    assert plain("a\udcffb\x1b[2Jc\ud800").encode()
    assert "\x1b" not in plain("a\x1b[2J")


def test_the_store_must_be_on(world: Callable[..., World]) -> None:
    here = world()
    here.env_file.write_text(here.env_file.read_text() + "SUPER_AGENT_STORE=off\n")

    async def scene() -> None:
        async with here.in_process() as client:
            assert "SUPER_AGENT_STORE=on" in refused(await client.call_tool("run_task", {"task": "x"}))

    play(scene)
    assert here.ollama.requests == []
