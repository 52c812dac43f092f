"""`LLMClient` as AutoGen's `ChatCompletionClient`: one object a member, all on the same `LLMClient`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from super_agent.core.errors import SuperAgentError
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply, ReplyPiece, Sampling, ToolCall
from super_agent.core.model.prefill import NO_PREFILL, Prefill
from super_agent.core.ollama.api import ModelDetails
from super_agent.core.replies.tool_calls import as_printed
from super_agent.team.drawing import Pieces, ReplyLimits, ReplyRequest, draw


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what happens in a call: each piece of a reply, the whole reply, or the error in its place.

    AutoGen turns a member's exception into a RuntimeError with its text, so the original goes here first.
    """

    on_piece: Callable[[ReplyPiece], None]
    on_reply: Callable[[Reply], None]
    on_failure: Callable[[SuperAgentError], None]


class TeamModelClient(ChatCompletionClient):
    """What a member thinks with."""

    def __init__(
        self,
        llm: LLMClient,
        info: ModelInfo,
        *,
        listener: Listener,
        json_schema: type[BaseModel] | None = None,
        limits: ReplyLimits,
        sampling: Callable[[], Sampling | None] = lambda: None,
        prefill: Callable[[], Prefill] = lambda: NO_PREFILL,
        drawn: Callable[[ReplyRequest], Pieces] | None = None,
    ) -> None:
        """`drawn` writes a reply in another way than by asking for it."""
        self._sampling = sampling
        self._prefill = prefill
        self._drawn = drawn or partial(draw, llm)
        self._llm = llm
        self._info = info
        self._listener = listener
        self._json_schema = json_schema
        self._limits = limits
        self._last = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """One whole reply; raises the errors of `LLMClient.stream`, or CancelledError through the token."""
        task = asyncio.ensure_future(self._reply(messages, tools, json_output))
        if cancellation_token is not None:
            cancellation_token.link_future(task)
        return self._result(await task)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The whole reply's text, then the result; pieces as they arrive go to the listener, which costs far less."""
        result = await self.create(
            messages, tools=tools, json_output=json_output, cancellation_token=cancellation_token
        )
        if isinstance(result.content, str):
            yield result.content
        yield result

    async def close(self) -> None:
        """The `LLMClient` belongs to whoever built it and stays open."""

    def actual_usage(self) -> RequestUsage:
        """Tokens of the last call."""
        return self._last

    def total_usage(self) -> RequestUsage:
        """Tokens of all calls of this member."""
        return self._total

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """An estimate on the safe side: the server's tokenizer is not ours."""
        return self._llm.estimate_tokens([m for message in messages for m in to_messages(message)])

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """What the loaded context would have left after these messages."""
        return self._llm.context_length - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        """The same as `model_info`."""
        return self._info

    @property
    def model_info(self) -> ModelInfo:
        """Built from `/api/show` by `model_info`."""
        return self._info

    async def _reply(
        self,
        messages: Sequence[LLMMessage],
        tools: Sequence[Tool | ToolSchema],
        json_output: bool | type[BaseModel] | None,
    ) -> Reply:
        schema = json_output if isinstance(json_output, type) else self._json_schema
        request = ReplyRequest(
            tuple(m for message in messages for m in to_messages(message)),
            self._limits,
            self._sampling(),
            self._prefill(),
            schema.model_json_schema() if schema else None,
            tuple(tool.schema if isinstance(tool, Tool) else tool for tool in tools),
        )
        try:
            reply = await self._told(self._drawn(request))
        except SuperAgentError as error:
            self._listener.on_failure(error)
            raise
        if reply.tool_calls and not tools:
            # A parser of the server's own made calls of the text; as text they are read like all others, and counted.
            text = as_printed(reply.text, [(call.name, call.arguments) for call in reply.tool_calls])
            reply = replace(reply, text=text, tool_calls=(), finish_reason="stop")
        self._listener.on_reply(reply)
        return reply

    async def _told(self, stream: Pieces) -> Reply:
        """The reply at the end of a stream, whose pieces go to the listener."""
        reply: Reply | None = None
        async with aclosing(stream):
            async for item in stream:
                if isinstance(item, Reply):
                    reply = item
                else:
                    self._listener.on_piece(item)
        if reply is None:
            raise RuntimeError("a drawn reply ended without a Reply")
        return reply

    def _result(self, reply: Reply) -> CreateResult:
        usage = RequestUsage(prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens)
        self._last = usage
        self._total = RequestUsage(
            prompt_tokens=self._total.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self._total.completion_tokens + usage.completion_tokens,
        )
        calls = [FunctionCall(id=c.id, name=c.name, arguments=c.arguments) for c in reply.tool_calls]
        return CreateResult(
            finish_reason="function_calls" if calls else _finish(reply),
            content=calls or reply.text,
            usage=usage,
            cached=False,
            thought=reply.reasoning or None,
        )


def _finish(reply: Reply) -> Literal["stop", "length"]:
    return "length" if reply.finish_reason == "length" else "stop"


def model_info(details: ModelDetails) -> ModelInfo:
    """AutoGen's description of a model, from what `/api/show` says it can do."""
    return ModelInfo(
        vision="vision" in details.capabilities,
        function_calling="tools" in details.capabilities,
        json_output=True,  # the server constrains any model's reply to a schema
        structured_output=True,
        family=ModelFamily.UNKNOWN,
        multiple_system_messages=False,  # Ollama moves system messages to the front, which breaks the prefix
    )


def to_messages(message: LLMMessage) -> list[Message]:
    """One AutoGen message as ours (a tool result message holds several)."""
    match message:
        case SystemMessage():
            return [Message("system", message.content)]
        case UserMessage():
            text = message.content if isinstance(message.content, str) else "\n".join(map(str, message.content))
            return [Message("user", text)]
        case AssistantMessage():
            if isinstance(message.content, str):
                return [Message("assistant", message.content)]
            calls = tuple(ToolCall(c.id, c.name, c.arguments) for c in message.content)
            return [Message("assistant", "", tool_calls=calls)]
        case FunctionExecutionResultMessage():
            return [Message("tool", result.content, tool_call_id=result.call_id) for result in message.content]
