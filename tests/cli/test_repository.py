"""A larger repository in whole runs: what the coder looks for is found, and the user is told so."""

from itertools import pairwise
from pathlib import Path

from tests.cli.adding import CHECK, PLAN, RIGHT, events, where
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama

ASKS = "```show\nsearch: def rate_of\nrate_of\n```"


def test_a_search_is_answered_in_the_next_prompt_and_told_to_the_user(super_agent: SuperAgent, workspace: Path) -> None:
    (workspace / "shop").mkdir()
    (workspace / "shop" / "rates.py").write_text("def rate_of(item):\n    return 2\n")
    (workspace / "build").mkdir()
    (workspace / "build" / "rates.py").write_text("def rate_of(item): ...\n")
    (workspace / ".gitignore").write_text("build/\n")
    with ScriptedOllama(autogen=[PLAN, ASKS, RIGHT] * 2) as server:
        at = ("--members", "planner,coder", "--check", CHECK)
        done = super_agent("run", "Write add.py", *where(server, workspace), *at, "--json")
        report = server.chats[2].prompt[-1][1]
        (workspace / "add.py").unlink()
        plain = super_agent("run", "Write add.py", *where(server, workspace), *at)
    assert done.code == 0, done.out + done.err
    (shown,) = [event for event in events(done.out) if event["type"] == "files_shown"]
    assert (shown["paths"], shown["searched"]) == (["rate_of"], ["def rate_of"])
    assert "search: def rate_of found 1 line:\n````\nshop/rates.py:1: def rate_of(item):\n````" in report
    assert "rate_of is defined in shop/rates.py, lines 1 to 2 of 2:\n````\ndef rate_of(item):" in report
    assert "searched for the coder: def rate_of\n" in plain.out


def test_a_map_stands_in_the_first_prompt_of_a_larger_workspace_and_stays_there(
    super_agent: SuperAgent, workspace: Path
) -> None:
    for number in range(13):
        (workspace / f"part{number}.py").write_text(f"def part_{number}(x: int) -> int:\n    return x\n")
    (workspace / "sums.py").write_text("class Sums:\n    def added(self, a, b):\n        return a + b\n")
    with ScriptedOllama(autogen=[PLAN, ASKS, RIGHT]) as server:
        at = (*where(server, workspace), "--members", "planner,coder", "--check", CHECK, "--json")
        done = super_agent("run", "Write add.py with add(a, b), as Sums.added does", *at)
        prompts = [chat.prompt for chat in server.chats]
    assert done.code == 0, done.out + done.err
    opened = prompts[0][-1][1]
    drawn = "What its files define, the most relevant first:\n````\nsums.py\n  class Sums\n    def added(self, a, b)\n"
    assert drawn in opened
    assert "  def part_0(x: int) -> int\n" in opened
    assert all(later[: len(first)] == first for first, later in pairwise(prompts))
