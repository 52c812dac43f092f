"""A whole run in an editor: what is streamed, asked, cancelled, gone on with."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acp.editor import Editor, opened, output_of
from tests.cli.adding import CHECK, PLAN, RIGHT, WRONG, where
from tests.cli.conftest import SuperAgent
from tests.cli.test_resume import by_cue
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say, Silence

BLOCK = "```python\nprint('a' * 3)\nopen('made.txt', 'a').write('made')\n```"
SOLO = ("--solo", "--approve", "always")
NEWER = "```python add.py\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n```"
CHECK_SUB = "python -c 'from add import sub; assert sub(5, 2) == 3'"


def run(
    tmp_path: Path, server: ScriptedOllama, test: Callable[[Editor], Awaitable[None]], *arguments: str, **how: Any
) -> None:
    async def opened_editor() -> None:
        where_ = ("--base-url", server.base_url, "--model", server.model)
        async with opened(tmp_path, *where_, *arguments, **how) as editor:
            await test(editor)
        assert await asyncio.wait_for(editor.process.wait(), 30) == 0

    asyncio.run(opened_editor())
    assert (tmp_path / "stderr.txt").read_text() == ""


def test_a_run_is_streamed_with_its_speakers_plan_files_checks_usage_and_end(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        response = await editor.say(session, "Write add.py")
        end = response.field_meta["super-agent"]
        assert (response.stop_reason, end["reason"], end["files_changed"]) == ("end_turn", "check_passed", ["add.py"])
        assert response.usage.input_tokens > response.usage.cached_read_tokens > 0
        assert end["instance"]["reload"] == 0
        text = editor.text()
        for piece in ("**planner**", "**coder**", "Write add.py.", "done: the check passes", "reused"):
            assert piece in text
        assert {u.field_meta["super-agent"]["speaker"] for u in editor.updates if u.session_update ==
                "agent_message_chunk" and "speaker" in ((u.field_meta or {}).get("super-agent") or {})} == {
            "planner", "coder"}  # fmt: skip
        assert [[(e.content, e.status) for e in plan.entries] for plan in editor.of("plan")] == [
            [("Write add.py.", status)] for status in ("pending", "in_progress", "completed")
        ]
        files = [update for update in editor.of("tool_call") if update.kind == "edit"]
        first, second = (update.content[0] for update in files)
        assert (first.path, first.old_text) == (str(workspace / "add.py"), None)
        assert first.new_text == "def add(a, b):\n    return a - b\n"
        assert (second.old_text, second.new_text) == (first.new_text, "def add(a, b):\n    return a + b\n")
        assert files[0].locations[0].path == str(workspace / "add.py")
        checks = [update for update in editor.of("tool_call") if update.title.startswith("Check: ")]
        ends = {u.tool_call_id: u.status for u in editor.of("tool_call_update")}
        assert [ends[check.tool_call_id] for check in checks] == ["failed", "failed", "completed"]
        usage = editor.of("usage_update")
        assert all(0 < update.used <= update.size for update in usage)
        assert len(usage) == len(server.chats)

    with ScriptedOllama(autogen=[PLAN, WRONG, RIGHT]) as server:
        run(tmp_path, server, test, "--check", CHECK)


def test_thoughts_are_apart_and_code_has_its_output(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        await editor.say(session, "Do it")
        assert "I think aloud" in editor.text("agent_thought_chunk")
        assert "I think aloud" not in editor.text()
        assert len(editor.asked) == 1
        call = editor.calls()["python: print('a' * 3)"]
        assert editor.asked[0][0].tool_call_id == call["tool_call_id"]
        assert (call["status"], call["kind"], call["raw_output"]["outcome"]) == ("completed", "execute", "finished")
        assert "aaa\n" in output_of(call)
        assert (workspace / "made.txt").read_text() == "made"

    with ScriptedOllama(executor=[Say(BLOCK, reasoning="I think aloud"), "Done."]) as server:
        run(tmp_path, server, test, *SOLO)


@pytest.mark.parametrize(
    ("answer", "made", "stop_reason", "asked"),
    [("run", "mademade", "end_turn", 2), ("always", "mademade", "end_turn", 1), ("skip", None, "end_turn", 2),
     ("stop", None, "cancelled", 1), (None, None, "cancelled", 1), ("nonsense", None, "end_turn", 2)],
)  # fmt: skip
def test_the_permission_decides(
    tmp_path: Path, workspace: Path, answer: str | None, made: str | None, stop_reason: str, asked: int
) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        response = await editor.say(session, "Do it")
        assert (response.stop_reason, len(editor.asked)) == (stop_reason, asked)
        assert [option.option_id for option in editor.asked[0][1]] == ["run", "always", "skip", "stop"]
        assert ((workspace / "made.txt").read_text() if (workspace / "made.txt").exists() else None) == made
        statuses = {call["status"] for call in editor.calls().values() if call["kind"] == "execute"}
        assert statuses == {"completed" if made else "failed"}

    with ScriptedOllama(executor=[BLOCK, BLOCK, "Done."]) as server:
        run(tmp_path, server, test, *SOLO, answer=lambda _editor, _call: answer)


def nothing_runs(process: asyncio.subprocess.Process) -> bool:
    return not psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("moment", ["load", "reply", "code", "question"])
def test_a_cancel_ends_the_run_at_once_and_it_can_go_on(tmp_path: Path, workspace: Path, moment: str) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        prompt = asyncio.ensure_future(editor.say(session, "Do it"))
        if moment == "load":
            while not any(request.path == "/api/generate" for request in server.requests):
                await asyncio.sleep(0.02)
        elif moment == "reply":
            while not server.chats:
                await asyncio.sleep(0.02)
        elif moment == "code":
            await editor.until(lambda: "begun" in "".join(map(output_of, editor.calls().values())))
        else:
            await editor.until(lambda: bool(editor.asked))
        began = time.monotonic()
        await editor.agent.cancel(session_id=session)
        response = await prompt
        took_s = time.monotonic() - began
        assert response.stop_reason == "cancelled"
        assert took_s < 2.0 or psutil.getloadavg()[0] > 2 * (psutil.cpu_count() or 1)
        await asyncio.sleep(0.2)
        assert nothing_runs(editor.process)
        assert not any(call["status"] in ("pending", "in_progress") for call in editor.calls().values())
        editor.answer = lambda _editor, _call: "run"
        server.overrides.clear()
        assert (await editor.say(session, "Go on")).stop_reason == "end_turn"

    slow = "```python\nprint('begun', flush=True)\nimport time\ntime.sleep(60)\n```"
    first = {"load": "Done.", "reply": Silence(), "code": slow, "question": BLOCK}[moment]
    rest = [BLOCK, "Done."] if moment == "question" else ["Done."]
    approve = "always" if moment == "question" else "never"
    with ScriptedOllama(executor=[first, *rest]) as server:
        if moment == "load":
            server.overrides["/api/generate"] = Silence()
        run(tmp_path, server, test, "--solo", "--approve", approve, answer=lambda _editor, _call: "wait")


def test_a_second_prompt_goes_on_with_another_check(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        assert (await editor.say(session, "Write add.py")).field_meta["super-agent"]["turns"] == 1
        asked = len(server.chats)
        await editor.say(session, f"/check {CHECK_SUB}")
        assert len(server.chats) == asked
        check = next(o for o in editor.of("config_option_update")[-1].config_options if o.id == "check")
        assert check.current_value == CHECK_SUB
        end = (await editor.say(session, "Now sub")).field_meta["super-agent"]
        assert (end["reason"], end["turns"]) == ("check_passed", 2)
        prompt = str(server.chats[-1].prompt)
        assert "The user says: Now sub" in prompt
        assert "Write add.py" in prompt

    with ScriptedOllama(autogen=by_cue([RIGHT, NEWER])) as server:
        run(tmp_path, server, test, "--check", CHECK)


def test_a_prompt_during_a_run_is_a_typed_line(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor) -> None:
        session = await editor.new(workspace)
        prompt = asyncio.ensure_future(editor.say(session, "Write add.py"))
        await editor.until(lambda: "**planner**" in editor.text())
        assert (await editor.say(session, "please keep it short")).field_meta == {"super-agent": {"typed": True}}
        assert not prompt.done()
        await prompt
        assert "The user says: please keep it short" in str(server.chats[-1].prompt)

    with ScriptedOllama(autogen=[Say(PLAN, pause_s=0.3), RIGHT]) as server:
        run(tmp_path, server, test, "--check", CHECK)


def test_after_kill_9_a_session_is_listed_loaded_and_gone_on_with(
    tmp_path: Path, workspace: Path, super_agent: SuperAgent
) -> None:
    session = ""

    async def begun() -> None:
        nonlocal session
        async with opened(tmp_path, "--base-url", server.base_url, "--model", server.model, "--check", CHECK) as editor:
            session = await editor.new(workspace)
            prompt = asyncio.ensure_future(editor.say(session, "Write add.py"))
            await editor.until(lambda: editor.text().count("**coder**") == 2)
            editor.process.send_signal(signal.SIGKILL)
            with pytest.raises(ConnectionError):
                await prompt

    async def test(editor: Editor) -> None:
        listed = (await editor.agent.list_sessions(cwd=str(workspace))).sessions
        assert [(row.session_id, row.cwd, row.title) for row in listed] == [(session, str(workspace), "Write add.py")]
        loaded = await editor.agent.load_session(cwd=str(workspace), session_id=session, mcp_servers=[])
        assert next(o.current_value for o in loaded.config_options if o.id == "check") == CHECK
        assert editor.text("user_message_chunk") == "Write add.py"
        assert "return a - b" in editor.text()
        assert [update.title for update in editor.of("tool_call") if update.kind == "edit"] == ["Create add.py (+2 −0)"]
        end = (await editor.say(session, "go on")).field_meta["super-agent"]
        assert (end["reason"], end["turns"]) == ("check_passed", 2)

    with ScriptedOllama(
        autogen=by_cue([WRONG, Say(RIGHT, pause_s=0.2, end="silence", pieces_before_end=3), RIGHT])
    ) as server:
        asyncio.run(begun())
        run(tmp_path, server, test)
        done = super_agent("show", session)
    assert "go on" in done.out


def test_a_run_of_the_terminal_goes_on_in_the_editor_without_its_history(
    tmp_path: Path, workspace: Path, super_agent: SuperAgent
) -> None:
    async def test(editor: Editor) -> None:
        (row,) = (await editor.agent.list_sessions()).sessions
        await editor.agent.resume_session(cwd=str(workspace), session_id=row.session_id)
        assert editor.text("user_message_chunk") == ""
        end = (await editor.say(row.session_id, "Keep it")).field_meta["super-agent"]
        assert (end["reason"], end["turns"]) == ("finished", 2)
        await editor.agent.close_session(session_id=row.session_id)
        with pytest.raises(Exception, match="not open here"):
            await editor.say(row.session_id, "More")

    with ScriptedOllama(executor=["Hello.", "Kept."]) as server:
        assert super_agent("run", "--solo", "Say hello", *where(server, workspace)).code == 0
        run(tmp_path, server, test)
