"""The proxy that makes runs equal: what passes, what is counted, what is refused."""

from collections.abc import Iterator

import httpx
import pytest

from evaluation.proxy import RecordingProxy
from tests.scripted_ollama import ScriptedOllama

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def server() -> Iterator[ScriptedOllama]:
    with ScriptedOllama(lambda _request: "one two three") as running:
        yield running


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat"])
def test_a_reply_passes_unchanged_and_is_counted(server: ScriptedOllama, path: str, stream: bool) -> None:
    with RecordingProxy(server.base_url, budget=1000, seed=7) as proxy:
        answer = httpx.post(proxy.base_url + path, json={**CHAT, "stream": stream}, trust_env=False)
        direct = httpx.post(server.base_url + path, json={**CHAT, "stream": stream}, trust_env=False)
        (call,) = proxy.settle()

    assert (answer.status_code, answer.headers["content-type"]) == (200, direct.headers["content-type"])
    assert (call.path, call.reply, call.finish) == (path, "one two three", "stop")
    assert call.reply_tokens > 0
    assert call.prompt_tokens > 0


def test_each_call_has_another_seed_and_no_more_tokens_than_are_left(server: ScriptedOllama) -> None:
    with RecordingProxy(server.base_url, budget=50, seed=7) as proxy:
        httpx.post(f"{proxy.base_url}/v1/chat/completions", json=CHAT, trust_env=False)
        httpx.post(f"{proxy.base_url}/v1/chat/completions", json={**CHAT, "max_tokens": 5, "seed": 1}, trust_env=False)
        httpx.post(f"{proxy.base_url}/api/chat", json={**CHAT, "options": {"num_predict": -1}}, trust_env=False)
        used = [call.reply_tokens for call in proxy.settle()]

    first, second, third = (request.body for request in server.chats)
    assert (first["seed"], first["max_tokens"]) == (8, 50)
    assert (second["seed"], second["max_tokens"]) == (1, 5)
    assert (third["options"]["seed"], third["options"]["num_predict"]) == (10, 50 - used[0] - used[1])


def test_a_chat_after_the_budget_is_refused_and_told(server: ScriptedOllama) -> None:
    with RecordingProxy(server.base_url, budget=1, seed=0) as proxy:
        url = f"{proxy.base_url}/v1/chat/completions"
        first = httpx.post(url, json=CHAT, trust_env=False)
        proxy.settle()
        assert not proxy.spent.is_set()
        second = httpx.post(url, json=CHAT, trust_env=False)

        assert (first.status_code, second.status_code) == (200, 400)
        assert proxy.spent.is_set()
        assert "budget" in second.text


def test_other_requests_are_the_servers_own(server: ScriptedOllama) -> None:
    with RecordingProxy(server.base_url, budget=1, seed=0) as proxy:
        version = httpx.get(f"{proxy.base_url}/api/version", trust_env=False)
        missing = httpx.post(f"{proxy.base_url}/api/show", json={"model": "none"}, trust_env=False)

    assert version.json() == httpx.get(f"{server.base_url}/api/version", trust_env=False).json()
    assert missing.status_code == 404
    assert proxy.calls == ()


def test_a_server_that_is_gone_is_an_answer() -> None:
    with RecordingProxy("http://127.0.0.1:9", budget=1, seed=0) as proxy:
        answer = httpx.post(f"{proxy.base_url}/v1/chat/completions", json=CHAT, trust_env=False)

    assert answer.status_code == 502
