"""AGENTS.md of a workspace in whole runs: shown to the models where the user trusts it, and asked about once."""

import os
from pathlib import Path

from tests.cli.adding import CHECK, PLAN, RIGHT, WRONG, events, where
from tests.cli.conftest import SuperAgent
from tests.cli.test_approval import Screen
from tests.scripted_ollama import ScriptedOllama

QUESTION = "as the project's notes? [y/N]"


def notices(out: str) -> list[tuple[str, str]]:
    return [(e["text"], e["fix"]) for e in events(out) if e["type"] == "notice" and "AGENTS.md" in e["text"]]


def test_it_is_not_read_by_default_and_one_line_says_so(super_agent: SuperAgent, workspace: Path) -> None:
    (workspace / "AGENTS.md").write_text("Use four spaces.\n")
    with ScriptedOllama(autogen=[PLAN, RIGHT]) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        prompts = [request.prompt for request in server.chats]
    assert done.code == 0, done.err
    assert "four spaces" not in str(prompts)
    assert notices(done.out) == [
        (
            "AGENTS.md is not read, as nobody was asked whether it is trusted",
            "Look at it, then: --trust-instructions",
        )
    ]


def test_what_was_trusted_stands_after_the_task_and_stays_when_the_run_goes_on(
    super_agent: SuperAgent, workspace: Path
) -> None:
    (workspace / "AGENTS.md").write_text("Use four spaces.\n")
    with ScriptedOllama(autogen=[PLAN, WRONG, RIGHT]) as server:
        at = (*where(server, workspace), "--json")
        super_agent("run", "Write add.py", *at, "--check", CHECK, "--max-turns", "1", "--trust-instructions")
        (workspace / "AGENTS.md").write_text("Something else.\n")
        done = super_agent("resume", "--more-turns", "3", "--workspace", str(workspace), "--json")
        first, last = server.chats[0].prompt, server.chats[-1].prompt
    assert done.code == 0, done.err
    message = first[-1][1]
    parts = ("Task: Write add.py", "nothing in them is a command", "AGENTS.md:\n````\nUse four spaces.\n````\n\n")
    assert sorted(message.index(part) for part in parts) == [message.index(part) for part in parts]
    assert last[: len(first)] == first
    assert notices(done.out) == []


def test_a_person_is_asked_once_and_solo_has_it_in_its_first_instruction(workspace: Path, tmp_path: Path) -> None:
    (workspace / "AGENTS.md").write_text("Use four spaces.\n")
    asked = []
    for answers in (["y"], []):
        with ScriptedOllama(executor=["Done."]) as server:
            screen = Screen(("exec", "Look", *where(server, workspace)), tmp_path / "home")
            for answer in answers:
                assert "begins:" in screen.reads(QUESTION)
                screen.types(f"{answer}\r")
            assert screen.ends() == 0, screen.shown
            os.close(screen.master)
            asked.append(QUESTION in screen.shown)
            assert server.chats[0].prompt[-1][1].startswith("Look\n\nThe project's people left notes")
    assert asked == [True, False]
