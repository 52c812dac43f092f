"""Runs that need more context than there is: compacted, never cut, and a long reply said in two parts."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.adding import events, where
from tests.cli.conftest import SuperAgent
from tests.scripted_http import Request
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say, prompt_tokens

TASK = "Write shop.py so that CURRENCY is the euro sign."
CHECK = "python -c 'import shop, random; print(random.random()); assert shop.CURRENCY == chr(8364)'"
REVISE = '{"verdict": "revise", "reasons": "the currency is still wrong"}'
CONTEXT = 4096


def file_block(number: int, currency: str) -> str:
    lines = "\n".join(f"PRICE_{number}_{line} = {line}" for line in range(60))
    return f"```python shop.py\nCURRENCY = '{currency}'\n{lines}\n```"


def test_a_run_that_needs_five_compactions_still_knows_its_task(super_agent: SuperAgent, workspace: Path) -> None:
    replies = iter([file_block(n, str(n)) for n in range(23)] + [file_block(24, "€")])

    def team(request: Request) -> str:
        cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
        if cue.startswith("Planner"):
            return "1. Write shop.py."
        return REVISE if cue.startswith("Reviewer") else next(replies)

    with ScriptedOllama(autogen=team, context_length=CONTEXT) as server:
        done = super_agent("run", TASK, *where(server, workspace), "--json", "--check", CHECK, "--max-turns", "40")
        requests = server.chats
    assert done.code == 0, done.out[-2000:] + done.err
    seen = events(done.out)
    assert sum(e["type"] == "context_compacted" for e in seen) >= 5
    assert [e for e in seen if e["type"] == "prefix_broken"] == []
    assert seen[-1]["turns"] == 24
    for request in requests:
        assert any(TASK in text for _, text in request.prompt)
        assert prompt_tokens(request.body["messages"]) + request.body["max_tokens"] <= CONTEXT
    # Each prompt extends the one before it, but for the compactions.
    breaks = sum(b.prompt != a.prompt[: len(b.prompt)] for b, a in pairwise(requests))
    assert breaks == sum(e["type"] == "context_compacted" for e in seen)


@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_the_model_sums_up_where_the_user_wants_it_and_rules_do_where_it_is_cut(
    super_agent: SuperAgent, workspace: Path, finish_reason: str
) -> None:
    replies = iter([file_block(n, str(n)) for n in range(7)] + [file_block(24, "€")])

    def team(request: Request) -> str | Say:
        cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
        if cue.startswith("The earlier messages"):
            return Say("All prices are written, the currency is not yet right.", finish=finish_reason)
        if cue.startswith("Planner"):
            return "1. Write shop.py."
        return REVISE if cue.startswith("Reviewer") else next(replies)

    with ScriptedOllama(autogen=team, context_length=CONTEXT) as server:
        done = super_agent(
            "run", TASK, *where(server, workspace), "--json", "--check", CHECK, "--max-turns", "40",
            SUPER_AGENT_COMPACTION="model",
        )  # fmt: skip
        prompts = [request.prompt for request in server.chats]
    assert done.code == 0, done.out[-2000:] + done.err
    seen = events(done.out)
    kept = [e["kept"] for e in seen if e["type"] == "context_compacted"]
    assert kept
    assert all(("the model's summary" in text) == (finish_reason == "stop") for text in kept)
    assert all(("a line for each turn" in text) == (finish_reason == "length") for text in kept)
    told = any("All prices are written" in text for _, text in prompts[-1])
    assert told == (finish_reason == "stop")
    assert [e for e in seen if e["type"] == "prefix_broken"] == []
    assert seen[-1]["usage"][0]["requests"] == len(prompts)


def test_the_executor_alone_goes_on_over_compactions(super_agent: SuperAgent, workspace: Path) -> None:
    steps = [f"```python\nprint({n}, 'word ' * 150)\n```" for n in range(30)]
    steps.append("```python\nopen('shop.py', 'w').write('CURRENCY = chr(8364)')\n```")
    with ScriptedOllama(executor=[*steps, "Done."], context_length=CONTEXT) as server:
        done = super_agent(
            "run", "--solo", TASK, *where(server, workspace), "--json", "--check", CHECK,
            SUPER_AGENT_MAX_ROUNDS="40",
        )  # fmt: skip
        requests = server.chats
    assert done.code == 0, done.out[-2000:] + done.err
    seen = events(done.out)
    assert sum(e["type"] == "context_compacted" for e in seen) >= 2
    assert [e for e in seen if e["type"] == "prefix_broken"] == []
    for request in requests:
        assert any(TASK in text for _, text in request.prompt)
        assert prompt_tokens(request.body["messages"]) + request.body["options"]["num_predict"] <= CONTEXT


def test_a_reply_cut_between_its_blocks_goes_on_once_and_is_applied_whole(
    super_agent: SuperAgent, workspace: Path
) -> None:
    first = Say("```python euro.py\nEURO = chr(8364)\n```\nAnd the second file is", finish="length")
    second = "```python shop.py\nfrom euro import EURO as CURRENCY\n```"
    with ScriptedOllama(autogen=["1. Two files.", first, second]) as server:
        done = super_agent("run", TASK, *where(server, workspace), "--json", "--check", CHECK)
        requests = server.chats
    assert done.code == 0, done.out[-2000:] + done.err
    seen = events(done.out)
    assert [e["path"] for e in seen if e["type"] == "file_written"] == ["euro.py", "shop.py"]
    assert seen[-1]["turns"] == 1
    assert "go on with what is missing" in requests[-1].prompt[-1][1]


def test_of_a_reply_cut_inside_a_block_only_the_whole_blocks_are_taken(
    super_agent: SuperAgent, workspace: Path
) -> None:
    cut = Say("```python euro.py\nEURO = 1\n```\n```python shop.py\nCURRENCY = 1\n", finish="length")
    with ScriptedOllama(autogen=["1. Two files.", cut, "```python shop.py\nCURRENCY = chr(8364)\n```"]) as server:
        done = super_agent("run", TASK, *where(server, workspace), "--json", "--check", CHECK)
        requests = server.chats
    assert done.code == 0, done.out[-2000:] + done.err
    assert [e["path"] for e in events(done.out) if e["type"] == "file_written"] == ["euro.py", "shop.py"]
    assert "cut by the length limit, so only whole blocks were taken" in requests[-1].prompt[-1][1]
