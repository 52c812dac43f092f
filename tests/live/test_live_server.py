"""The live server itself, and what its log tells: what the other live tests stand on."""

from collections.abc import Callable

import httpx

from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from tests.live.conftest import LiveOllama


def _ask(live: LiveOllama, text: str) -> None:
    body = {
        "model": live.model,
        "stream": False,
        "options": {"num_predict": 4, "temperature": 0},
        "messages": [{"role": "user", "content": text}],
    }
    httpx.post(f"{live.base_url}/api/chat", json=body, timeout=100).raise_for_status()


def test_the_model_has_its_context_baked_in(live_ollama: LiveOllama, live_settings: Callable[..., Settings]) -> None:
    with Ollama(live_settings()) as server:
        assert server.show(live_ollama.model).num_ctx == 8192


def test_the_log_tells_cached_tokens_from_evaluated_ones(live_ollama: LiveOllama) -> None:
    text = "Tell me which of the planets is the largest one. " * 8
    _ask(live_ollama, text)
    mark = live_ollama.log.mark()

    _ask(live_ollama, text + "And which one is the smallest?")
    (evaluation,) = live_ollama.log.evaluations_since(mark)

    assert evaluation.prompt == evaluation.cached + evaluation.evaluated
    assert evaluation.cached > 80
    assert evaluation.evaluated < 30


def test_the_runner_process_and_the_log_show_that_a_runner_option_reloads(live_ollama: LiveOllama) -> None:
    _ask(live_ollama, "One.")
    before, mark = live_ollama.runners(), live_ollama.log.mark()
    _ask(live_ollama, "Two.")
    assert (live_ollama.runners(), live_ollama.log.loads_since(mark)) == (before, 0)

    body = {"model": live_ollama.model, "options": {"num_ctx": 4096}, "keep_alive": 60}
    httpx.post(f"{live_ollama.base_url}/api/generate", json=body, timeout=100).raise_for_status()

    after = live_ollama.runners()
    assert len(after) == 1
    assert after != before
    assert live_ollama.log.loads_since(mark) == 1
