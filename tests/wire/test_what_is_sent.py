"""The exact requests of both clients, and that they are the same server's and the same model's."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from interpreter.native_stream import ChatRequest, SamplingOptions
from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import LimitReached, ModelNotFound
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, ToolCall
from super_agent.core.model.completions import CompletionRequest
from super_agent.core.model.evaluation import Evaluated
from super_agent.core.model.middleware import CountingMiddleware, RequestFacts, Usage
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse, Say
from tests.wire.both import HELLO, KINDS, RecordingGate, ask, converse, last

RUNNER_OPTIONS = ("num_ctx", "num_gpu", "num_batch", "num_thread", "main_gpu", "use_mmap", "keep_alive", "shift")
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}]


def test_autogens_client_sends_exactly_this() -> None:
    with ScriptedOllama(["Hello."]) as server:
        ask("autogen", server.settings(temperature=0.25, top_p=0.5, max_reply_tokens=100))
        [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "scripted",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.25,
        "top_p": 0.5,
        "max_tokens": 100,
    }


def test_the_executors_client_sends_exactly_this() -> None:
    with ScriptedOllama(["Hello."]) as server:
        ask("open-interpreter", server.settings(temperature=0.25, top_p=0.5, max_reply_tokens=100))
        [request] = server.requests
    assert (request.method, request.path) == ("POST", "/api/chat")
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "scripted",
        "messages": MESSAGES,
        "stream": True,
        "truncate": False,
        "options": {"temperature": 0.25, "top_p": 0.5, "num_predict": 100},
    }


def test_schema_tools_and_tool_messages_have_the_form_of_v1() -> None:
    schema = {"type": "object", "properties": {"verdict": {"type": "string", "default": None}}}
    tool = {"name": "add", "description": "adds", "parameters": {"type": "object"}}
    messages = [
        Message("user", "Add."),
        Message("assistant", "", tool_calls=(ToolCall("c1", "add", '{"a": 1}'),)),
        Message("tool", "2", tool_call_id="c1"),
    ]
    with ScriptedOllama(["{}"]) as server:
        server.catalogue.models["scripted:latest"] = Model(
            "scripted:latest", 8192, capabilities=("completion", "tools")
        )

        async def run() -> None:
            client = LLMClient(server.settings(), CountingMiddleware(), 8192)
            async for _ in client.stream(messages, json_schema=schema, tools=[tool]):
                pass
            await client.aclose()

        asyncio.run(run())
        body = server.requests[0].body
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    assert body["messages"] == [
        {"role": "user", "content": "Add."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "c1"},
    ]
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
    assert body["tools"] == [{"type": "function", "function": tool}]


def test_both_clients_built_from_one_settings_object_send_to_one_server_and_one_model() -> None:
    with ScriptedOllama(["a", "b"]) as server:
        settings = server.settings()
        llm, adapter = LLMClient(settings, CountingMiddleware(), 8192), OllamaAdapter(settings, CountingMiddleware())
        assert (llm.base_url, llm.model) == (adapter.base_url, adapter.model) == (server.base_url, "scripted")
        assert llm.endpoint == f"{server.base_url}/v1/chat/completions"
        assert adapter.endpoint == f"{server.base_url}/api/chat"
        for kind in KINDS:
            ask(kind, settings)
        assert [(r.path, r.body["model"]) for r in server.chats] == [
            ("/v1/chat/completions", "scripted"),
            ("/api/chat", "scripted"),
        ]
        assert [f"{server.base_url}{r.path}" for r in server.chats] == [llm.endpoint, adapter.endpoint]


def test_a_path_before_the_api_is_kept_by_both() -> None:
    with ScriptedOllama() as server:
        settings = server.settings(base_url=f"{server.base_url}/ollama/v1/")
        llm, adapter = LLMClient(settings, CountingMiddleware(), 8192), OllamaAdapter(settings, CountingMiddleware())
    assert llm.base_url == adapter.base_url == f"{server.base_url}/ollama"
    assert llm.endpoint == f"{server.base_url}/ollama/v1/chat/completions"


def test_proxy_variables_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ScriptedOllama(["a", "b"]) as server:
        assert [ask(kind, server.settings()).text for kind in KINDS] == ["a", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_set_is_used(kind: ClientKind) -> None:
    with ScriptedOllama() as proxy:
        for path in ("/v1/chat/completions", "/api/chat"):
            proxy.overrides[f"http://ollama.test:11434{path}"] = Refuse(404, "model 'scripted' not found")
        settings = proxy.settings(base_url="http://ollama.test:11434", proxy=proxy.base_url)
        with pytest.raises(ModelNotFound):
            ask(kind, settings)
        assert proxy.requests[0].path.startswith("http://ollama.test:11434/")


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_is_sent_as_a_bearer_token(kind: ClientKind) -> None:
    with ScriptedOllama(["a"]) as server:
        ask(kind, server.settings(api_key="s3cret"))
        assert server.requests[0].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_holds_a_runner_option(kind: ClientKind) -> None:
    with ScriptedOllama(lambda request: "ok") as server:
        converse(kind, server.settings(keep_alive="1h"), [HELLO, [*HELLO, Message("assistant", "ok")]])
        for request in server.requests:
            assert not [
                name for name in RUNNER_OPTIONS if name in request.body or name in request.body.get("options", {})
            ]


@pytest.mark.parametrize("option", [*RUNNER_OPTIONS, "options"])
def test_no_runner_option_can_be_expressed(option: str) -> None:
    extra: dict[str, Any] = {option: 1}
    with pytest.raises(ValidationError, match="Extra inputs"):
        CompletionRequest(model="m", messages=[], temperature=0, top_p=1, max_tokens=16, **extra)
    with pytest.raises(ValidationError, match="Extra inputs"):
        SamplingOptions(temperature=0, top_p=1, num_predict=16, **extra)
    if option != "options":
        sampling = SamplingOptions(temperature=0, top_p=1, num_predict=16)
        with pytest.raises(ValidationError, match="Extra inputs"):
            ChatRequest(model="m", messages=[], options=sampling, **extra)


@pytest.mark.parametrize("kind", KINDS)
def test_the_reply_limit_is_the_setting_or_a_quarter_of_the_context(kind: ClientKind) -> None:
    with ScriptedOllama(lambda request: "ok") as server:
        converse(kind, server.settings(max_reply_tokens=4096), [HELLO], context_length=2000)
        converse(kind, server.settings(max_reply_tokens=300), [HELLO], context_length=2000)
        limits = [r.body.get("max_tokens") or r.body["options"]["num_predict"] for r in server.requests]
    assert limits == [500, 300]


@pytest.mark.parametrize("kind", KINDS)
def test_text_that_utf8_cannot_hold_is_sent_all_the_same(kind: ClientKind) -> None:
    with ScriptedOllama(["ok"]) as server:
        ask(kind, server.settings(), [Message("user", "a\udc80b — ção")])
        assert server.requests[0].prompt == [("user", "a?b — ção")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_hears_of_each_call_before_and_after(kind: ClientKind) -> None:
    middleware = RecordingGate()
    with ScriptedOllama([Say("Hello.", prompt_tokens=30, completion_tokens=5)]) as server:
        [items] = converse(kind, server.settings(), [HELLO], middleware=middleware)
    reply = last(items)
    [facts], [usage] = middleware.before_calls, middleware.after_calls
    assert facts == RequestFacts(kind, "scripted", facts.prompt_tokens, HELLO)
    assert facts.prompt_tokens >= 20
    native = kind == "open-interpreter"
    load_s, prompt_s, queued_s = (0.55, 0.013856, 0.0) if native else (None, None, None)
    assert usage == Usage(
        kind, 30, 5, reply.wall_s, load_s, prompt_s, queued_s=queued_s, evaluated=Evaluated(30, measured=False)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_when_the_gate_refuses(kind: ClientKind) -> None:
    with ScriptedOllama(["a"]) as server:
        middleware = CountingMiddleware(max_tokens=1)
        converse(kind, server.settings(), [HELLO], middleware=middleware)
        with pytest.raises(LimitReached):
            converse(kind, server.settings(), [HELLO], middleware=middleware)
        assert len(server.requests) == 1
