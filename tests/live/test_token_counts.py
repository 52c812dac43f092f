"""What the comparison in benchmarks/compare rests on, and its main count: the team evaluates each token once."""

import httpx
import pytest

from benchmarks.compare.contestants import team
from benchmarks.compare.measure import fresh, measure
from benchmarks.compare.upstream import Upstream
from evaluation.server_log import Evaluation
from tests.live.conftest import LiveOllama

# The test model ends its reply to this by itself, after 24 tokens.
QUESTION = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "Hello!"},
]
TURNS = 2
"""Of the comparison's short task, so that the test takes seconds; each further turn repeats the second one."""
SLACK = 1.02
TIMEOUT_S = 280.0
"""A server that shares two cores with others needs minutes for what takes seconds alone."""
pytestmark = pytest.mark.timeout(300)


def cached_after(live: LiveOllama, reply: str) -> Evaluation:
    """How the server sees the prompt that follows the question and its reply."""
    further = [*QUESTION, {"role": "assistant", "content": reply}, {"role": "user", "content": "Go on."}]
    mark = live.log.mark()
    ask(live, further, 1)
    [found] = live.log.evaluations_since(mark)
    return found


def ask(live: LiveOllama, messages: list[dict[str, str]], limit: int) -> str:
    body = {"model": live.model, "messages": messages, "stream": False}
    options = {"temperature": 0, "num_predict": limit}
    with httpx.Client(base_url=live.base_url, timeout=TIMEOUT_S, trust_env=False) as http:
        answer = http.post("/api/chat", json={**body, "options": options}).raise_for_status().json()
    if limit > 1:
        assert answer["done_reason"] == "stop"  # else its last token was not evaluated, and the replies differ by it
    return str(answer["message"]["content"])


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_a_played_reply_leaves_the_cache_as_a_generated_one_does(live_ollama: LiveOllama, path: str) -> None:
    fresh(live_ollama.server, live_ollama.model)
    reply = ask(live_ollama, QUESTION, 100)
    generated = cached_after(live_ollama, reply)
    fresh(live_ollama.server, live_ollama.model)
    upstream = Upstream(live_ollama.base_url)
    try:
        counts = upstream.evaluate(path, {"model": live_ollama.model, "messages": QUESTION}, reply)
    finally:
        upstream.close()
    played = cached_after(live_ollama, reply)
    assert (played.prompt, played.cached, played.evaluated) == (
        generated.prompt,
        generated.cached,
        generated.evaluated,
    )
    assert counts.prompt_tokens + counts.reply_tokens == played.cached
    assert not counts.cut


def test_the_team_has_each_token_evaluated_once(live_ollama: LiveOllama) -> None:
    row = measure(live_ollama.server, live_ollama.model, team(TURNS))
    assert (row.calls, row.loads, row.stretches, row.cut) == (2 * TURNS, 1, 1, 0)
    assert row.evaluated <= row.once * SLACK
    assert row.reuse > 0.5  # it rises with each turn: 0.96 after the five of the comparison
