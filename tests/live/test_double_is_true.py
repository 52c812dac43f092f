"""The scripted server answers as the real one does: the same status, the same members, the same kinds of values."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.live.conftest import LiveOllama
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say

HELLO = [{"role": "user", "content": "Say hello."}]
SAMPLING = {"temperature": 0, "num_predict": 6}
NOT_TOLD_BY_ALL = {"system", "license", "tensors", "messages", "projector_info", "renderer", "parser", "requires"}
"""Of `/api/show`: there or not, as the model has it."""


@pytest.fixture
def double(live_ollama: LiveOllama) -> Iterator[ScriptedOllama]:
    """A scripted server with the live one's model name."""
    model = live_ollama.model.removesuffix(":latest")
    with ScriptedOllama(lambda request: Say("Hello there. I am", finish="length"), model=model) as server:
        server.catalogue.models["base:latest"] = Model("base:latest")
        yield server


Ask = Callable[[str, str, dict[str, Any] | None], tuple[int, str, list[Any]]]


def asker(base_url: str) -> Ask:
    """A function that asks one server and gives status, content type and the values of the answer."""

    def ask(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, str, list[Any]]:
        host = urlsplit(base_url)
        with urllib3.HTTPConnectionPool(host.hostname or "", host.port, timeout=120) as pool:
            answer = pool.request(method, path, body=None if body is None else json.dumps(body))
        lines = [line.removeprefix("data: ") for line in answer.data.decode().splitlines() if line]
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        return answer.status, kind, [_value(line) for line in lines]

    return ask


CASES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "version": ("GET", "/api/version", None),
    "not a path": ("GET", "/api/nothing", None),
    "load": ("POST", "/api/generate", {"model": "MODEL", "keep_alive": "30m"}),
    "ps": ("GET", "/api/ps", None),
    "tags": ("GET", "/api/tags", None),
    "native stream": ("POST", "/api/chat", {"model": "MODEL", "messages": HELLO, "options": SAMPLING}),
    "native whole": ("POST", "/api/chat", {"model": "MODEL", "messages": HELLO, "options": SAMPLING, "stream": False}),
    "v1 whole": (
        "POST",
        "/v1/chat/completions",
        {"model": "MODEL", "messages": HELLO, "max_tokens": 6, "temperature": 0},
    ),
    "native unknown model": ("POST", "/api/chat", {"model": "nope", "messages": HELLO}),
    "v1 unknown model": ("POST", "/v1/chat/completions", {"model": "nope", "messages": HELLO}),
    "show unknown model": ("POST", "/api/show", {"model": "nope"}),
    "v1 content null": (
        "POST",
        "/v1/chat/completions",
        {"model": "MODEL", "messages": [{"role": "user", "content": None}]},
    ),
    "native tools": ("POST", "/api/chat", {"model": "MODEL", "messages": HELLO, "tools": [{"type": "function"}]}),
    "native too long": (
        "POST",
        "/api/chat",
        {"model": "MODEL", "messages": [{"role": "user", "content": "a 1 b 2 " * 6000}], "truncate": False},
    ),
    "create": ("POST", "/api/create", {"model": "made", "from": "MODEL", "parameters": {"num_ctx": 512}}),
    "delete": ("DELETE", "/api/delete", {"model": "made"}),
    "delete unknown": ("DELETE", "/api/delete", {"model": "made"}),
}


def test_each_answer_has_the_form_of_the_real_one(live_ollama: LiveOllama, double: ScriptedOllama) -> None:
    real, scripted = asker(live_ollama.base_url), asker(double.base_url)
    model = live_ollama.model
    for name, (method, path, body) in CASES.items():
        filled = {k: model if v == "MODEL" else v for k, v in body.items()} if body is not None else None
        true, played = real(method, path, filled), scripted(method, path, filled)
        assert played[:2] == true[:2], name
        assert _form(played[2][-1:]) == _form(true[2][-1:]), name
        assert _form(played[2][:1]) == _form(true[2][:1]) or path == "/api/create", name


def test_the_stream_of_v1_has_the_events_of_the_real_one(live_ollama: LiveOllama, double: ScriptedOllama) -> None:
    body = {"model": live_ollama.model, "messages": HELLO, "stream": True, "stream_options": {"include_usage": True}}
    body |= {"max_tokens": 6, "temperature": 0}
    true = asker(live_ollama.base_url)("POST", "/v1/chat/completions", body)
    played = asker(double.base_url)("POST", "/v1/chat/completions", body)
    assert played[:2] == true[:2]
    # First piece, a further piece, then the end: finish reason, usage, [DONE].
    for place in (0, 1, -3, -2, -1):
        assert _form(played[2][place]) == _form(true[2][place]), place


def test_show_has_the_members_of_the_real_one(live_ollama: LiveOllama, double: ScriptedOllama) -> None:
    body = {"model": live_ollama.model}
    [true] = asker(live_ollama.base_url)("POST", "/api/show", body)[2]
    [played] = asker(double.base_url)("POST", "/api/show", body)[2]
    assert set(played) - NOT_TOLD_BY_ALL == set(true) - NOT_TOLD_BY_ALL
    assert set(played["model_info"]) <= set(true["model_info"])
    assert _form(played["details"]) == _form(true["details"])
    first = played["parameters"].splitlines()[0]
    assert first in true["parameters"].splitlines()


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _form(value: Any) -> Any:
    """Members and kinds of values. Whole numbers and fractions are one kind; of a list, its first item counts."""
    match value:
        case dict():
            return {name: _form(item) for name, item in value.items()}
        case list():
            return [_form(item) for item in value[:1]]
        case bool() | None:
            return value
        case int() | float():
            return "a number"
        case _:
            return "a text"
