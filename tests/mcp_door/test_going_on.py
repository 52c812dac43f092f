"""A session goes on with something new, whoever began it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from super_agent.mcp.run_jobs import Jobs
from super_agent.mcp.task_run import NextRun
from super_agent.session.run_options import ResumeOptions
from tests.mcp_door.conftest import CHECK, CODE, PLAN, World, play, refused, structured, until
from tests.scripted_replies import Silence

MORE = "```python add.py\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n```"
CHECK_SUB = "python -c 'from add import sub; assert sub(5, 2) == 3'"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_goes_on_with_something_new_and_what_it_knows(world: Callable[..., World], mode: str) -> None:
    here = world(PLAN, CODE, MORE)

    async def scene() -> None:
        async with here.in_process(mode) as client:
            asked = {"task": "Write add.py with add(a, b).", "check": CHECK}
            first = structured(await client.call_tool("run_task", asked))
            asked = {"task": "Now sub(a, b), too.", "session": first["session"], "check": CHECK_SUB}
            asked |= {"workspace": str(here.workspace), "max_turns": 3}
            second = structured(await client.call_tool("run_task", asked, progress_callback=here.hear))
            assert (second["session"], second["outcome"], second["turns"]) == (first["session"], "done", 2)
            assert here.session == first["session"]
            assert "+def sub(a, b):" in second["diff"]
            assert "+def add(a, b):" in second["diff"]
            [row] = structured(await client.call_tool("sessions"))["sessions"]
            assert (row["session"], row["turns"]) == (first["session"], 2)

    play(scene)
    before, after = here.ollama.chats[1].prompt, here.ollama.chats[-1].prompt
    assert after[: len(before)] == before
    assert "The user says: Now sub(a, b), too." in str(after)


def test_a_run_that_was_cancelled_in_its_first_turn_goes_on(world: Callable[..., World]) -> None:
    here = world(Silence(), PLAN, CODE)

    async def scene() -> None:
        async with here.in_process() as client:
            asked: dict[str, Any] = {"task": "Write add.py.", "check": CHECK, "wait_s": 0}
            session = structured(await client.call_tool("run_task", asked))["session"]
            await until(lambda: here.ollama.chats, "the first request")
            busy = {"task": "And fast.", "session": session}
            assert "is held by pid" in refused(await client.call_tool("run_task", busy))
            await client.call_tool("cancel", {"session": session})
            done = structured(await client.call_tool("run_task", busy))
            assert (done["session"], done["outcome"], done["files"]) == (session, "done", ["add.py"])

    play(scene)
    asked = str(here.ollama.chats[1].prompt)
    assert "Write add.py." in asked
    assert "The user says: And fast." in asked


def test_what_a_session_has_of_its_own_cannot_be_another(world: Callable[..., World]) -> None:
    here = world(executor=lambda _request: "Done.")
    (here.workspace / "other").mkdir()
    (here.folder / "outside").mkdir()

    async def elsewhere() -> str:
        async with here.in_process(root=here.folder / "outside") as client:
            return str(structured(await client.call_tool("run_task", {"task": "x", "mode": "solo"}))["session"])

    async def scene(foreign: str) -> None:
        async with here.in_process() as client:
            asked = {"task": "Look.", "mode": "solo", "workspace": str(here.workspace / "other")}
            session = structured(await client.call_tool("run_task", asked))["session"]
            for wrong, said in (
                ({"session": "nothing"}, "no session of an allowed folder"),
                ({"session": foreign}, "no session of an allowed folder"),
                ({"session": ""}, "at least 1 character"),
                ({"session": session, "mode": "solo"}, "goes on in its own mode"),
                ({"session": session, "workspace": str(here.workspace)}, f"works in {here.workspace}/other"),
                ({"session": session, "workspace": str(here.folder / "outside")}, "not in a folder that the user"),
                ({"session": session, "check": "no-such-program"}, "a program that does not exist"),
            ):
                assert said in refused(await client.call_tool("run_task", {"task": "More.", **wrong}))
            become_a_link(here.workspace / "other", here.folder / "outside")
            said = refused(await client.call_tool("run_task", {"task": "More.", "session": session}))
            assert "is not in a folder that the user allowed" in said

    foreign = play(elsewhere)
    play(lambda: scene(foreign))
    assert len(here.ollama.chats) == 2


def test_a_folder_that_becomes_a_link_after_it_was_looked_at_is_not_worked_in(world: Callable[..., World]) -> None:
    here = world(executor=lambda _request: "Done.")
    folder = here.workspace / "project"
    folder.mkdir()
    (here.folder / "outside").mkdir()

    async def scene() -> None:
        async with here.in_process() as client:
            asked = {"task": "Look.", "mode": "solo", "workspace": str(folder)}
            session = structured(await client.call_tool("run_task", asked))["session"]
        become_a_link(folder, here.folder / "outside")
        job = Jobs().start(NextRun(ResumeOptions(session, folder, "More."), {}, here.env_file))
        assert await job.over(60)

    play(scene)
    assert len(here.ollama.chats) == 1


def become_a_link(folder: Path, target: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)
