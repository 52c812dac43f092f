"""The management API against the scripted server."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from super_agent.core.errors import (
    ModelElsewhere,
    ModelNotFound,
    NotOllama,
    OllamaTimedOut,
    OllamaUnreachable,
    ReplyBroken,
    RequestRejected,
    ServerBusy,
    ServerFailed,
    ServerTooOld,
)
from super_agent.core.ollama.api import LoadedModel, Ollama, Progress, StoredModel, same_model
from super_agent.core.settings import load_settings
from tests.scripted_models import DEFAULT_KEEP_ALIVE_S, WEIGHT_BYTES, Model
from tests.scripted_ollama import ScriptedOllama, refused_url
from tests.scripted_replies import HTML, HTML_404, Raw, Refuse, Silence


@pytest.fixture
def server() -> Iterator[ScriptedOllama]:
    """Two models of the same weights, one with its context baked in."""
    models = [
        Model("base:latest"),
        Model("coder:7b", 2048, license="Alias made by super-agent: base with num_ctx 2048."),
    ]
    with ScriptedOllama(models=models) as scripted:
        yield scripted


@pytest.fixture
def ollama(server: ScriptedOllama) -> Iterator[Ollama]:
    """A client of that server."""
    with Ollama(server.settings(), answer_timeout_s=0.3) as client:
        yield client


def test_version_and_models(server: ScriptedOllama, ollama: Ollama) -> None:
    assert ollama.version() == "0.32.15"
    stored = server.catalogue.models.values()
    assert ollama.models() == tuple(StoredModel(m.name, m.digest, WEIGHT_BYTES + 313) for m in stored)


def test_show_reads_what_is_baked_in(ollama: Ollama) -> None:
    details = ollama.show("coder:7b")
    assert (details.name, details.num_ctx, details.max_context) == ("coder:7b", 2048, 8192)
    assert (details.capabilities, details.family) == (("completion",), "llama")
    assert details.license.startswith("Alias made by super-agent")
    assert ollama.show("base").num_ctx is None


def test_a_missing_model_is_named_with_its_neighbours_and_the_command(server: ScriptedOllama, ollama: Ollama) -> None:
    with pytest.raises(ModelNotFound) as caught:
        ollama.show("Coder:8b")
    assert caught.value.what == f"{server.base_url} has no model Coder:8b (near: coder:7b)"
    assert caught.value.fix == "Create it: super-agent up --model Coder:8b"


def test_loading_shows_in_ps_and_keeps_as_long_as_asked(ollama: Ollama) -> None:
    assert ollama.loaded() == ()
    assert ollama.load("coder:7b", "30m") >= 0
    [row] = ollama.loaded()
    assert row == LoadedModel("coder:7b", row.digest, row.size, 0, 2048, row.expires_at)
    assert row.expires_at == pytest.approx(time.time() + 1800, abs=5)
    ollama.unload("coder:7b")
    assert ollama.loaded() == ()


def test_a_model_that_stays_for_ever_has_no_end(server: ScriptedOllama, ollama: Ollama) -> None:
    ends = ("2318-11-23T19:30:48.852222795Z", "292277026596-12-04T15:30:07Z")
    server.overrides["/api/ps"] = Raw(
        json.dumps({"models": [{"name": "x", "context_length": 1, "expires_at": end} for end in ends]}).encode()
    )
    assert [r.expires_at is None for r in ollama.loaded()] == [False, True]


def test_load_sends_no_runner_option(server: ScriptedOllama, ollama: Ollama) -> None:
    ollama.load("base", "30m")
    ollama.unload("base")
    assert [r.body for r in server.requests] == [
        {"model": "base", "keep_alive": "30m"},
        {"model": "base", "keep_alive": 0},
    ]


def test_creating_an_alias(server: ScriptedOllama, ollama: Ollama) -> None:
    steps = list(ollama.create("mine", "base", parameters={"num_ctx": 4096}, license="ours", system="Be brief."))
    assert steps[-1] == Progress("success")
    assert server.requests[-1].body == {
        "model": "mine",
        "from": "base",
        "parameters": {"num_ctx": 4096},
        "license": "ours",
        "system": "Be brief.",
    }
    details = ollama.show("mine")
    assert (details.num_ctx, details.license, details.parent) == (4096, "ours", "base:latest")


def test_creating_from_a_gguf_uploads_it_once(server: ScriptedOllama, ollama: Ollama, tmp_path: Path) -> None:
    gguf = tmp_path / "small.gguf"
    gguf.write_bytes(b"GGUF" + bytes(300_000))
    assert [s.status for s in ollama.create_from_gguf("small", gguf)][-1] == "success"
    list(ollama.create_from_gguf("again", gguf))
    uploads = [r for r in server.requests if r.method == "POST" and r.path.startswith("/api/blobs/sha256:")]
    assert len(uploads) == 1
    assert {m.name for m in ollama.models()} >= {"small:latest", "again:latest"}


def test_pulling_reports_bytes(server: ScriptedOllama, ollama: Ollama) -> None:
    server.catalogue.pullable["far:latest"] = Model("far:latest", weights="f" * 64)
    steps = list(ollama.pull("far"))
    assert [s.completed for s in steps if s.total] == [0, *(WEIGHT_BYTES * n // 4 for n in range(1, 5))]
    assert steps[-1].status == "success"


def test_a_pull_that_fails_after_its_200(ollama: Ollama) -> None:
    with pytest.raises(ServerFailed, match="file does not exist"):
        list(ollama.pull("nowhere"))


@pytest.mark.parametrize("body", [b'{"status":"pulling manifest"}\n', b"", b"<html>", b'{"status":'])
def test_a_job_that_does_not_end_in_success(server: ScriptedOllama, ollama: Ollama, body: bytes) -> None:
    server.overrides["/api/pull"] = Raw(body, content_type="application/x-ndjson")
    with pytest.raises(ReplyBroken):
        list(ollama.pull("far"))


def test_deleting(ollama: Ollama) -> None:
    ollama.delete("base")
    assert "base:latest" not in [m.name for m in ollama.models()]
    with pytest.raises(ModelNotFound):
        ollama.delete("base")


CALLS: list[Callable[[Ollama], object]] = [
    lambda o: o.version(),
    lambda o: o.models(),
    lambda o: o.loaded(),
    lambda o: o.show("base"),
    lambda o: o.unload("base"),
    lambda o: o.delete("base"),
]
PATHS = ("/api/version", "/api/tags", "/api/ps", "/api/show", "/api/generate", "/api/delete")
each_call = pytest.mark.parametrize("call", CALLS, ids=["version", "models", "loaded", "show", "unload", "delete"])


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
        assert server.requests[-1].path in ("/api/show", "/api/generate", "/api/delete")


@each_call
def test_a_server_that_accepts_and_never_answers(
    server: ScriptedOllama, ollama: Ollama, call: Callable[[Ollama], object]
) -> None:
    server.overrides.update(dict.fromkeys(PATHS, Silence()))
    started = time.monotonic()
    with pytest.raises(OllamaTimedOut, match=r"no answer within 0\.3 s"):
        call(ollama)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("call", CALLS[:5])  # what `delete` did is said by its status alone
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


def test_the_key_is_sent_and_proxy_variables_are_not_followed(
    server: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Ollama(server.settings(api_key="s3cret")) as ollama:
        ollama.version()
    assert server.requests[0].headers["authorization"] == "Bearer s3cret"


def test_a_proxy_that_is_set_is_used(server: ScriptedOllama) -> None:
    server.overrides["http://ollama.test:11434/api/version"] = Raw(b'{"version":"1"}')
    with Ollama(server.settings(base_url="http://ollama.test:11434", proxy=server.base_url)) as ollama:
        assert ollama.version() == "1"


def test_calls_share_one_connection(server: ScriptedOllama, ollama: Ollama) -> None:
    for _ in range(3):
        ollama.loaded()
        ollama.version()
    assert len({r.client_port for r in server.requests}) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x", "x:latest", True),
        ("X:Latest", "x", True),
        ("library/x", "registry.ollama.ai/library/x:latest", True),
        ("hf.co/a/b", "hf.co/a/b:latest", True),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", True),
        ("x:7b", "x", False),
        ("a/x", "x", False),
    ],
)
def test_names_are_compared_as_ollama_does(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same


def test_the_double_reloads_by_the_rules_of_the_real_server(server: ScriptedOllama, ollama: Ollama) -> None:
    ollama.load("coder:7b", "30m")
    catalogue = server.catalogue
    assert catalogue.use(catalogue.models["scripted:latest"], {"num_ctx": 2048}) < 0.2  # same weights, same context
    assert ollama.loaded()[0].name == "coder:7b"
    catalogue.reload(512)  # a foreign client with its own num_ctx
    [row] = ollama.loaded()
    assert row.context_length == 512
    assert row.expires_at == pytest.approx(time.time() + DEFAULT_KEEP_ALIVE_S, abs=5)


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
