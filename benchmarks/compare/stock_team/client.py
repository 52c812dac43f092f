"""A chat completion client for AutoGen as small as one can be: one POST to /v1, nothing kept, nothing checked.

It sends what the stock OpenAI client sends (role and content, no name prefixes), without its import of `openai`, so
stock teams are measured at their best.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import httpx
from autogen_core import CancellationToken
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    SystemMessage,
)

TIMEOUT_S = 600.0


class PlainClient(ChatCompletionClient):
    """For one server and one model."""

    def __init__(self, base_url: str, model: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)
        self._model = model
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Any] = (),
        tool_choice: Any = "auto",
        json_output: Any = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """One whole reply; raises httpx's errors."""
        body: dict[str, Any] = {"model": self._model, "messages": [_out(message) for message in messages]}
        if json_output:
            body["response_format"] = {"type": "json_object"}
        answer = (await self._http.post("/v1/chat/completions", json=body)).raise_for_status().json()
        usage = RequestUsage(
            prompt_tokens=answer["usage"]["prompt_tokens"], completion_tokens=answer["usage"]["completion_tokens"]
        )
        self._total.prompt_tokens += usage.prompt_tokens
        self._total.completion_tokens += usage.completion_tokens
        text = answer["choices"][0]["message"]["content"]
        return CreateResult(finish_reason="stop", content=text, usage=usage, cached=False)

    async def create_stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
        """Stock agents do not stream unless asked to."""
        yield await self.create(*args, **kwargs)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def actual_usage(self) -> RequestUsage:
        """Tokens of all calls."""
        return self._total

    def total_usage(self) -> RequestUsage:
        """Tokens of all calls."""
        return self._total

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = ()) -> int:
        """Nobody asks: the stock contexts keep everything."""
        raise NotImplementedError

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = ()) -> int:
        """Nobody asks: the stock contexts keep everything."""
        raise NotImplementedError

    @property
    def capabilities(self) -> ModelInfo:
        """The same as `model_info`."""
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """As one describes a model that AutoGen does not know."""
        return ModelInfo(
            vision=False,
            function_calling=False,
            json_output=True,
            structured_output=False,
            family=ModelFamily.UNKNOWN,
            multiple_system_messages=False,
        )


def _out(message: LLMMessage) -> dict[str, Any]:
    role = {SystemMessage: "system", AssistantMessage: "assistant"}.get(type(message), "user")
    return {"role": role, "content": message.content}
