"""Both clients behind one function, for what must hold for either."""

import asyncio
from collections.abc import Sequence
from contextlib import closing

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import ServerError
from super_agent.core.events import Emit, discard
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply, ReplyPiece
from super_agent.core.model.liveness import TELL_EVERY_S
from super_agent.core.model.middleware import CallMiddleware, CountingMiddleware, RequestFacts, Usage
from super_agent.core.settings import Settings

KINDS: tuple[ClientKind, ...] = ("autogen", "open-interpreter")
HELLO = (Message("system", "Be brief."), Message("user", "Say hello."))


class RecordingGate:
    """A middleware that keeps what it was told."""

    def __init__(self) -> None:
        self.before_calls: list[RequestFacts] = []
        self.after_calls: list[Usage] = []
        self.ended_calls: list[RequestFacts] = []
        self.cut_replies: list[Usage] = []

    def before(self, request: RequestFacts) -> None:
        """Let it pass."""
        self.before_calls.append(request)

    def after(self, usage: Usage) -> None:
        """Keep it."""
        self.after_calls.append(usage)

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        """Keep it too, and what a reply cost that was cut."""
        self.ended_calls.append(request)
        self.cut_replies += [cut] if cut is not None else []


def converse(
    kind: ClientKind,
    settings: Settings,
    prompts: Sequence[Sequence[Message]],
    *,
    middleware: CallMiddleware | None = None,
    context_length: int = 8192,
    emit: Emit = discard,
    tell_every_s: float = TELL_EVERY_S,
) -> list[list[ReplyPiece | Reply]]:
    """All that one client object yields for each prompt, one after the other."""
    middleware = middleware or CountingMiddleware()
    if kind == "autogen":
        client = LLMClient(settings, middleware, context_length, emit=emit, tell_every_s=tell_every_s)
        return asyncio.run(_converse(client, prompts))
    with closing(OllamaAdapter(settings, middleware, context_length, emit=emit, tell_every_s=tell_every_s)) as adapter:
        return [list(adapter.stream(messages)) for messages in prompts]


def ask(kind: ClientKind, settings: Settings, messages: Sequence[Message] = HELLO) -> Reply:
    """One reply of a fresh client."""
    return last(converse(kind, settings, [messages])[0])


def outcomes(kind: ClientKind, settings: Settings, prompts: Sequence[Sequence[Message]]) -> list[Reply | ServerError]:
    """What came of each prompt, all asked of one client object."""
    if kind == "autogen":
        return asyncio.run(_outcomes(settings, prompts))
    results: list[Reply | ServerError] = []
    with closing(OllamaAdapter(settings, CountingMiddleware(), 8192)) as adapter:
        for messages in prompts:
            try:
                results.append(last(list(adapter.stream(messages))))
            except ServerError as error:
                results.append(error)
    return results


def last(items: Sequence[ReplyPiece | Reply]) -> Reply:
    """The reply at the end of what was yielded."""
    assert isinstance(items[-1], Reply)
    return items[-1]


async def _converse(client: LLMClient, prompts: Sequence[Sequence[Message]]) -> list[list[ReplyPiece | Reply]]:
    try:
        return [[item async for item in client.stream(messages)] for messages in prompts]
    finally:
        await client.aclose()


async def _outcomes(settings: Settings, prompts: Sequence[Sequence[Message]]) -> list[Reply | ServerError]:
    results: list[Reply | ServerError] = []
    client = LLMClient(settings, CountingMiddleware(), 8192)
    for messages in prompts:
        try:
            results.append(last([item async for item in client.stream(messages)]))
        except ServerError as error:
            results.append(error)
    await client.aclose()
    return results
