"""One reply as a member asks for it, and the requests that write it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from super_agent.core.errors import LimitReached, PromptTooLong
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply, ReplyPiece, Sampling
from super_agent.core.model.prefill import NO_PREFILL, Prefill

Pieces = AsyncGenerator[ReplyPiece | Reply, None]
"""The pieces of a reply as they arrive, and last the whole `Reply`."""


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """What ends a member's reply beside its own end: tokens (None: the settings' limit), or one of these texts."""

    tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """A reply that a member asks for; equal ones may be answered with the same reply."""

    messages: tuple[Message, ...]
    limits: ReplyLimits = ReplyLimits()
    sampling: Sampling | None = None
    prefill: Prefill = NO_PREFILL
    json_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()


async def draw(llm: LLMClient, request: ReplyRequest) -> Pieces:
    """One reply, of as many requests as it has beginnings; a limit leaves what was written before it.

    Raises what `LLMClient.stream` does.
    """
    reply: Reply | None = None
    prefill: Prefill | None = request.prefill
    while prefill is not None:
        more: Reply | None = None
        try:
            async with aclosing(_streamed(llm, request, prefill)) as pieces:
                async for item in pieces:
                    if isinstance(item, Reply):
                        more = item
                    else:
                        yield item
        except (LimitReached, PromptTooLong):
            if reply is None:
                raise
            break
        if more is None:
            raise RuntimeError("LLMClient.stream ended without a Reply")
        reply = more if reply is None else _joined(reply, more)
        prefill = prefill.after(reply)
    if reply is not None:
        yield reply


def _streamed(llm: LLMClient, request: ReplyRequest, prefill: Prefill) -> Pieces:
    return llm.stream(
        request.messages,
        json_schema=request.json_schema,
        tools=request.tools,
        reply_limit_tokens=request.limits.tokens,
        stop=request.limits.stop,
        sampling=request.sampling,
        prefill=prefill,
    )


def _joined(reply: Reply, more: Reply) -> Reply:
    text = more.text if more.text.startswith(reply.text) else f"{reply.text}\n\n{more.text}"
    return replace(more, text=text, completion_tokens=reply.completion_tokens + more.completion_tokens)
