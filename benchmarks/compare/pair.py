"""Two programs that alternate on one model: with different context sizes, as people have it, and with ours.

Both ask the real server directly, with the same prompts; nothing is scripted, a reply is a few tokens long.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import httpx

from benchmarks.compare import story
from benchmarks.compare.measure import fresh
from evaluation.server_log import ServerLog
from interpreter.ollama_adapter import OllamaAdapter
from scripts.own_ollama import OwnOllama
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.settings import Settings, load_settings

ROUNDS = 4
"""Calls of each of the two."""
CONTEXT = 8192
OTHER_CONTEXT = 4096
REPLY_TOKENS = 16
HEAD = "| two clients, in turn | calls | loads | evaluated | wall |\n|---|--:|--:|--:|--:|"
PROMPT = [Message("system", "You review code."), Message("user", f"{story.coder(0)}\n\nIs it right?")]


@dataclass(frozen=True, slots=True)
class Pair:
    """What so many calls in turn cost; the first load is one of `loads`."""

    name: str
    calls: int
    loads: int
    evaluated: int
    wall_s: float

    def row(self) -> str:
        """A line of the table in Markdown."""
        return f"| {self.name} | {self.calls} | {self.loads} | {self.evaluated:,} | {self.wall_s:.1f} s |"


def pairs(server: OwnOllama, model: str) -> list[Pair]:
    """The mis-set pair, then super-agent's."""
    settings = load_settings(
        {"base_url": server.base_url, "model": model, "max_reply_tokens": REPLY_TOKENS}, environ={}
    )
    return [
        _measured(server, model, f"num_ctx {CONTEXT} and {OTHER_CONTEXT}", lambda: _mis_set(settings)),
        _measured(server, model, "super-agent's two clients", lambda: asyncio.run(_ours(settings))),
    ]


def _measured(server: OwnOllama, model: str, name: str, work: Callable[[], None]) -> Pair:
    fresh(server, model)
    log = ServerLog(server.log)
    mark, started = log.mark(), time.perf_counter()
    work()
    wall_s = time.perf_counter() - started
    evaluations = log.evaluations_since(mark)
    return Pair(name, len(evaluations), log.loads_since(mark), sum(found.evaluated for found in evaluations), wall_s)


def _mis_set(settings: Settings) -> None:
    messages = [{"role": message.role, "content": message.content} for message in PROMPT]
    common = {"model": settings.model, "messages": messages, "stream": False}
    with httpx.Client(base_url=settings.base_url, timeout=600, trust_env=False) as http:
        for _ in range(ROUNDS):
            answer = http.post("/v1/chat/completions", json={**common, "max_tokens": REPLY_TOKENS})
            answer.raise_for_status()
            options = {"num_ctx": OTHER_CONTEXT, "num_predict": REPLY_TOKENS}
            http.post("/api/chat", json={**common, "options": options}).raise_for_status()


async def _ours(settings: Settings) -> None:
    middleware = CountingMiddleware()
    llm = LLMClient(settings, middleware, CONTEXT)
    with closing(OllamaAdapter(settings, middleware, CONTEXT)) as adapter:
        for _ in range(ROUNDS):
            async for _piece in llm.stream(PROMPT):
                pass
            for _piece in adapter.stream(PROMPT):
                pass
    await llm.aclose()
