"""Slash commands and menus, and how an editor's look at them."""

import asyncio
from pathlib import Path
from typing import Any

from tests.acp.editor import Editor, opened
from tests.cli.adding import CHECK, RIGHT
from tests.cli.test_resume import by_cue
from tests.scripted_ollama import ScriptedOllama


def menus(options: list[Any]) -> dict[str, tuple[str, list[str]]]:
    return {o.id: (o.current_value, [choice.value for choice in o.options]) for o in options}


def test_commands_and_menus_are_offered_and_set_what_counts_next(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor, server: ScriptedOllama) -> None:
        made = await editor.agent.new_session(cwd=str(workspace), mcp_servers=[])
        await editor.until(lambda: bool(editor.of("available_commands_update")))
        names = {c.name for c in editor.of("available_commands_update")[0].available_commands}
        assert names == {"check", "team", "solo", "approve", "turns", "undo", "diff", "verify", "ps"}
        assert menus(made.config_options) == {
            "mode": ("team", ["team", "solo"]),
            "check": ("none", ["none"]),
            "approve": ("default", ["default", "never", "risky", "always"]),
            "turns": ("default", ["default", "2", "4", "8", "16", "32"]),
        }
        session = made.session_id
        for text in ("/solo", "/approve always", "/turns 3", f"/check {CHECK}"):
            assert (await editor.say(session, text)).stop_reason == "end_turn"
        now = menus(editor.of("config_option_update")[-1].config_options)
        assert [now[name][0] for name in ("mode", "approve", "turns", "check")] == ["solo", "always", "3", CHECK]
        assert server.chats == []
        set_ = await editor.agent.set_config_option("check", session, "none")
        assert menus(set_.config_options)["check"] == ("none", ["none", CHECK])
        assert (await editor.say(session, "/etc/hosts is a file; say hello")).stop_reason == "end_turn"
        assert server.chats[0].client == "open-interpreter"
        assert "/etc/hosts is a file" in str(server.chats[0].prompt)

    with ScriptedOllama(executor=["Hello."]) as server:
        drive(tmp_path, server, test)


def drive(tmp_path: Path, server: ScriptedOllama, test: Any, **how: Any) -> None:
    async def main() -> None:
        async with opened(tmp_path, "--base-url", server.base_url, "--model", server.model, **how) as editor:
            await test(editor, server)

    asyncio.run(main())
    assert (tmp_path / "stderr.txt").read_text() == ""


def test_diff_undo_ps_and_verify_are_the_terminals(tmp_path: Path, workspace: Path) -> None:
    async def test(editor: Editor, _server: ScriptedOllama) -> None:
        session = await editor.new(workspace)
        await editor.say(session, f"/check {CHECK}")
        await editor.say(session, "Write add.py")
        assert (workspace / "add.py").exists()

        async def told(text: str) -> str:
            seen = len(editor.updates)
            await editor.say(session, text)
            chunks = [u for u in editor.updates[seen:] if u.session_update == "agent_message_chunk"]
            return "".join(u.content.text for u in chunks)

        assert "+    return a + b" in await told("/diff")
        assert "NAME" in await told("/ps")
        assert "✅" in await told("/verify --quick")
        editor.answer = lambda _editor, _call: "no"
        assert await told("/undo") == "Nothing was changed.\n"
        assert (workspace / "add.py").exists()
        editor.answer = lambda _editor, _call: "yes"
        assert "done: 1 file" in await told("/undo")
        assert not (workspace / "add.py").exists()
        assert len(editor.asked) == 2

    with ScriptedOllama(autogen=by_cue([RIGHT])) as server:
        drive(tmp_path, server, test)
