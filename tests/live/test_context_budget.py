"""A long task on the real server: compacted, never cut, every token between two compactions evaluated once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from super_agent.core.events import ContextCompacted, Event
from super_agent.core.files.workspace import Workspace
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Reply
from super_agent.core.model.context_allocation import ContextAllocation
from super_agent.core.model.middleware import RequestFacts, Usage
from super_agent.core.settings import Settings
from super_agent.team.compaction import SUMMARY_CUE, Compactor
from super_agent.team.roles import opening
from super_agent.team.transcript import CheckFacts, Entry, TaskFacts, Transcript, WorkspaceFacts
from tests.live.conftest import LiveOllama

CONTEXT = 2048
MAX_REPLY_TOKENS = 24
"""What the client believes, so that five compactions need few enough tokens for a CPU; the server has 8,192."""
TASK = "Write shop.py so that CURRENCY is the euro sign."


@dataclass(slots=True)
class Kept:
    """A middleware that keeps what it was told."""

    requests: list[RequestFacts] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)

    def before(self, request: RequestFacts) -> None:
        self.requests.append(request)

    def after(self, usage: Usage) -> None:
        self.usages.append(usage)

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        assert request in self.requests


def after_a_turn(number: int) -> list[Entry]:
    """What workspace and check post in a long turn; the coder's reply is the real model's."""
    traceback = "\n".join(f'  File "shop.py", line {number * 10 + line}, in price_{line}' for line in range(18))
    return [
        Entry("workspace", "Workspace: wrote shop.py.", WorkspaceFacts(("shop.py",), 0, 0, "", f"d{number}")),
        Entry("check", f"Check: failed.\n{traceback}\nKeyError: {number}", CheckFacts(False, f"s{number}", "d")),
    ]


async def work(
    settings: Settings, workspace: Workspace, events: list[Event], compactions: int = 5, *, model_sums_up: bool = False
) -> tuple[Kept, list[bool]]:
    """Turns until there were so many compactions; for each coder's call whether a compaction came just before it."""
    middleware, anew = Kept(), []
    llm = LLMClient(settings, middleware, CONTEXT)
    transcript = Transcript([Entry("task", opening(TASK, "", ""), TaskFacts(TASK))])
    compactor = Compactor(llm, transcript, workspace, events.append, ContextAllocation(CONTEXT), model_sums_up)
    try:
        while len(events) < compactions:
            told = len(events)
            # A reply limit as small as this leaves no room for a summary; a usual one does.
            await compactor.make_room(
                ContextAllocation(CONTEXT).turn_tokens(512 if model_sums_up else llm.reply_limit())
            )
            anew.append(len(events) > told)
            transcript.ask("coder")
            reply = [item async for item in llm.stream(transcript.messages())][-1]
            assert isinstance(reply, Reply)
            transcript.append(Entry("coder", reply.text))
            transcript.entries += after_a_turn(len(middleware.usages))
    finally:
        await llm.aclose()
    return middleware, anew


def test_five_compactions_lose_nothing_and_evaluate_each_token_once(
    live_ollama: LiveOllama, live_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "shop.py").write_text("CURRENCY = '$'\n")
    events: list[Event] = []
    mark = live_ollama.log.mark()
    with Workspace(tmp_path / "work") as workspace:
        middleware, anew = asyncio.run(work(live_settings(max_reply_tokens=MAX_REPLY_TOKENS), workspace, events))
    evaluations = live_ollama.log.evaluations_since(mark)
    assert [type(event) for event in events] == [ContextCompacted] * 5
    assert len(evaluations) == len(middleware.usages)
    for request, usage in zip(middleware.requests, middleware.usages, strict=True):
        assert usage.prompt_tokens <= request.prompt_tokens  # the estimate is on the safe side
        assert usage.prompt_tokens + MAX_REPLY_TOKENS <= CONTEXT
        assert not usage.truncated
        assert request.prefix_break is None
        assert any(TASK in message.content for message in request.messages)
    # The rendered prompt extends the one before it as the messages do: the server's log counts what we compute.
    for evaluated, usage, began in list(zip(evaluations, middleware.usages, anew, strict=True))[1:]:
        assert usage.evaluated is not None
        assert evaluated.prompt == usage.prompt_tokens
        if not began:  # a compaction still shares the head with what was cached
            assert abs(evaluated.evaluated - usage.evaluated.tokens) <= 8


def test_the_model_sums_up_in_a_call_that_only_adds_to_the_prompt(
    live_ollama: LiveOllama, live_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """This model's summary may well be cut; then rules make it, as they do without the setting."""
    events: list[Event] = []
    mark = live_ollama.log.mark()
    with Workspace(tmp_path) as workspace:
        settings = live_settings(max_reply_tokens=MAX_REPLY_TOKENS)
        middleware, anew = asyncio.run(work(settings, workspace, events, compactions=1, model_sums_up=True))
    evaluations = live_ollama.log.evaluations_since(mark)
    assert len(middleware.requests) == len(anew) + 1
    (summing,) = [i for i, r in enumerate(middleware.requests) if r.messages[-1].content.endswith(SUMMARY_CUE)]
    before, asked = middleware.requests[summing - 1], middleware.requests[summing]
    assert asked.prefix_break is None
    assert asked.messages[: len(before.messages)] == before.messages
    added = middleware.usages[summing].prompt_tokens - middleware.usages[summing - 1].prompt_tokens
    assert evaluations[summing].evaluated <= added
    (event,) = events
    assert isinstance(event, ContextCompacted)
    cut = middleware.usages[summing].completion_tokens == MAX_REPLY_TOKENS
    assert cut or "the model's summary" in event.kept
