"""What comes instead of an answer of the management API, each as one of our errors."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from super_agent.core.errors import (
    ModelElsewhere,
    NotOllama,
    OllamaTimedOut,
    OllamaUnreachable,
    ReplyBroken,
    RequestRejected,
    ServerBusy,
    ServerFailed,
    ServerTooOld,
)
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from tests.scripted_ollama import ScriptedOllama, refused_url
from tests.scripted_replies import HTML, HTML_404, Raw, Refuse, Silence

CALLS: list[Callable[[Ollama], object]] = [
    lambda o: o.version(),
    lambda o: o.models(),
    lambda o: o.loaded(),
    lambda o: o.show("base"),
    lambda o: o.unload("base"),
]
PATHS = ("/api/version", "/api/tags", "/api/ps", "/api/show", "/api/generate")
each_call = pytest.mark.parametrize("call", CALLS, ids=["version", "models", "loaded", "show", "unload"])


@each_call
@pytest.mark.parametrize("answer", [HTML, HTML_404], ids=["page", "404 page"])
def test_something_else_at_the_address(
    server: ScriptedOllama, ollama: Ollama, call: Callable[[Ollama], object], answer: Raw
) -> None:
    server.overrides.update(dict.fromkeys(PATHS, answer))
    with pytest.raises(NotOllama):
        call(ollama)


@each_call
@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b'{"models":5}', b'{"models":[{"name":1}]}', b"\xff", b'{"version":7,"details":3}']
)
def test_json_of_another_kind_is_one_of_our_errors_or_nothing_lost(
    server: ScriptedOllama, ollama: Ollama, call: Callable[[Ollama], object], body: bytes
) -> None:
    server.overrides.update(dict.fromkeys(PATHS, Raw(body)))
    with suppress(NotOllama):
        call(ollama)
        # An empty object is all that is asked of these answers.
        assert server.requests[-1].path in ("/api/show", "/api/generate")


@each_call
def test_a_server_that_accepts_and_never_answers(
    server: ScriptedOllama, ollama: Ollama, call: Callable[[Ollama], object]
) -> None:
    server.overrides.update(dict.fromkeys(PATHS, Silence()))
    started = time.monotonic()
    with pytest.raises(OllamaTimedOut, match=r"no answer within 0\.3 s"):
        call(ollama)
    assert time.monotonic() - started < 5


@each_call
def test_a_connection_cut_in_mid_answer(
    server: ScriptedOllama, ollama: Ollama, call: Callable[[Ollama], object]
) -> None:
    server.overrides.update(dict.fromkeys(PATHS, Raw(b'{"version"', end="cut")))
    with pytest.raises(ReplyBroken):
        call(ollama)


@each_call
def test_a_port_where_nothing_listens(call: Callable[[Ollama], object]) -> None:
    with (
        refused_url() as url,
        Ollama(load_settings({"base_url": url}, environ={})) as ollama,
        pytest.raises(OllamaUnreachable, match=r"\(Connection refused\)"),
    ):
        call(ollama)


def test_an_answer_that_trickles_for_ever_ends_in_time(server: ScriptedOllama, ollama: Ollama) -> None:
    listener = _Trickle()
    with listener, Ollama(server.settings(base_url=listener.base_url), answer_timeout_s=0.3) as slow:
        started = time.monotonic()
        with pytest.raises(OllamaTimedOut):
            slow.version()
        assert time.monotonic() - started < 5


def test_the_servers_refusals(server: ScriptedOllama, ollama: Ollama) -> None:
    server.overrides["/api/show"] = Refuse(400, "invalid model name")
    with pytest.raises(RequestRejected, match="invalid model name"):
        ollama.show("a b")
    server.overrides["/api/version"] = Refuse(404, "no such path")
    with pytest.raises(NotOllama):
        ollama.version()


class _Trickle(threading.Thread):
    """A server that sends one byte of its answer every 50 ms, for ever."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "_Trickle":
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.join(5)
        self._listener.close()

    def run(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                return  # the client gave up


def without(answer: object, *names: str) -> Raw:
    """An answer as an older server gives it."""
    return Raw(json.dumps({k: v for k, v in dict(answer).items() if k not in names}).encode())  # type: ignore[call-overload]


def test_a_server_that_does_not_tell_the_context_is_too_old(server: ScriptedOllama, ollama: Ollama) -> None:
    row = {"name": "coder:7b", "model": "coder:7b", "size": 1000, "digest": "d", "size_vram": 0}
    server.overrides["/api/ps"] = Raw(json.dumps({"models": [row]}).encode())
    server.overrides["/api/version"] = Raw(b'{"version": "0.9.6"}')
    with pytest.raises(ServerTooOld) as caught:
        ollama.loaded()
    assert "Ollama 0.9.6" in caught.value.what
    assert "0.10.0" in caught.value.fix


def test_a_server_that_does_not_tell_what_models_can_do_is_too_old(server: ScriptedOllama, ollama: Ollama) -> None:
    shown = server.catalogue.handle("POST", "/api/show", b"", {"model": "base"})
    server.overrides["/api/show"] = without(shown, "capabilities")
    with pytest.raises(ServerTooOld, match="does not tell what its models can do"):
        ollama.show("base")


@pytest.mark.parametrize("name", ["details", "parameters", "template", "modelfile", "license", "model_info"])
def test_what_a_server_does_not_know_of_a_model_may_be_null(server: ScriptedOllama, ollama: Ollama, name: str) -> None:
    shown = server.catalogue.handle("POST", "/api/show", b"", {"model": "base"})
    server.overrides["/api/show"] = Raw(json.dumps({**dict(shown), name: None}).encode())  # type: ignore[call-overload]
    assert ollama.show("base").capabilities == ("completion",)


def test_a_cloud_model_does_not_run_here(server: ScriptedOllama, ollama: Ollama) -> None:
    shown = server.catalogue.handle("POST", "/api/show", b"", {"model": "base"})
    remote = {**dict(shown), "remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com"}  # type: ignore[call-overload]
    server.overrides["/api/show"] = Raw(json.dumps(remote).encode())
    with pytest.raises(ModelElsewhere, match="gpt-oss:120b-cloud is a cloud model: it runs at https://ollama.com"):
        ollama.show_local("gpt-oss:120b-cloud")


def test_a_path_that_is_not_there_is_named_with_the_address_without_it(server: ScriptedOllama) -> None:
    settings = server.settings(base_url=f"{server.base_url}/olama")
    with Ollama(settings) as client, pytest.raises(NotOllama) as caught:
        client.version()
    assert caught.value.fix.endswith(f"without a proxy it has no path: {server.base_url}")


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (200, NotOllama, "HTTP 200 and a web page, '502 Bad & Gateway'"),
        (301, NotOllama, "redirects with HTTP 301"),
        (401, RequestRejected, "refused access (HTTP 401)"),
        (404, NotOllama, "HTTP 404 and a web page, '502 Bad & Gateway'"),
        (502, ServerFailed, "failed (HTTP 502): a web page, '502 Bad & Gateway'"),
        (503, ServerBusy, "is busy: a web page, '502 Bad & Gateway'"),
    ],
)
def test_a_proxy_s_page_is_told_by_its_title(
    server: ScriptedOllama, ollama: Ollama, status: int, error: type[Exception], words: str
) -> None:
    page = b"<html>\r\n<head><title>502 Bad &amp; Gateway</title></head>\r\n<body><center>nginx</center></body></html>"
    server.overrides["/api/version"] = Raw(page, status, "text/html")
    with pytest.raises(error) as caught:
        ollama.version()
    assert words in str(caught.value)
    assert "nginx" not in str(caught.value)
