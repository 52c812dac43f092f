"""The guarantee on the real thing: both clients, one server, one model, one runner, loaded once."""

import asyncio
from collections.abc import Callable

import pytest

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.errors import ModelNotFound, PromptTooLong
from super_agent.core.instance.instance_watch import LOAD_THRESHOLD_S, find_loaded
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from tests.live.conftest import LiveOllama

MakeSettings = Callable[..., Settings]
HELLO = [Message("user", "Say hello in one short sentence.")]


def ask_as_autogen(settings: Settings, messages: list[Message]) -> Reply:
    async def ask() -> Reply:
        client = LLMClient(settings, CountingMiddleware(), 8192)
        try:
            last = [item async for item in client.stream(messages, reply_limit_tokens=16)][-1]
        finally:
            await client.aclose()
        assert isinstance(last, Reply)
        return last

    return asyncio.run(ask())


def ask_as_executor(settings: Settings, messages: list[Message]) -> Reply:
    adapter = OllamaAdapter(settings, CountingMiddleware(), 8192)
    try:
        last = list(adapter.stream(messages))[-1]
    finally:
        adapter.close()
    assert isinstance(last, Reply)
    return last


def test_both_clients_share_one_runner_that_is_never_reloaded(
    live_ollama: LiveOllama, live_settings: MakeSettings
) -> None:
    settings = live_settings(max_reply_tokens=16)
    with Ollama(settings) as server:
        server.load(settings.model, "5m")
        before, row = live_ollama.runners(), find_loaded(server, settings.model)
        first = ask_as_autogen(settings, HELLO)
        native = ask_as_executor(settings, HELLO)
        again = ask_as_autogen(settings, HELLO)
        after, row_after = live_ollama.runners(), find_loaded(server, settings.model)
    assert before == after
    assert len(before) == 1
    assert row is not None
    assert row_after is not None
    assert (row.digest, row.size, row.context_length) == (row_after.digest, row_after.size, row_after.context_length)
    assert native.load_s is not None
    assert native.load_s < LOAD_THRESHOLD_S
    assert first.text == native.text == again.text
    assert first.prompt_tokens == native.prompt_tokens


def test_the_second_client_does_not_evaluate_the_shared_prompt_again(live_settings: MakeSettings) -> None:
    settings = live_settings(max_reply_tokens=16)
    prompt = [Message("user", "Numbers: " + " ".join(str(n) for n in range(400)))]
    first = ask_as_autogen(settings, prompt)
    native = ask_as_executor(settings, prompt)
    assert native.prompt_s is not None
    assert native.prompt_tokens > 500
    # A share of the first call's time, whatever else the machine does; from the cache it is some hundredth.
    assert native.prompt_s < first.wall_s / 4


def test_a_prompt_that_does_not_fit_is_refused_with_the_servers_own_counts(live_settings: MakeSettings) -> None:
    adapter = OllamaAdapter(live_settings(), CountingMiddleware())
    try:
        with pytest.raises(PromptTooLong) as caught:
            list(adapter.stream([Message("user", "word and 7 " * 4000)]))
    finally:
        adapter.close()
    assert caught.value.context_length == 8192
    assert caught.value.prompt_tokens > 8192


def test_the_openai_side_refuses_before_the_server_would_cut_silently(live_settings: MakeSettings) -> None:
    with pytest.raises(PromptTooLong):
        ask_as_autogen(live_settings(), [Message("user", "word and 7 " * 4000)])


def test_an_unknown_model_is_the_same_error_from_both_clients(live_settings: MakeSettings) -> None:
    settings = live_settings().model_copy(update={"model": "nope"})
    with pytest.raises(ModelNotFound):
        ask_as_autogen(settings, HELLO)
    with pytest.raises(ModelNotFound):
        ask_as_executor(settings, HELLO)
