"""The management API against the scripted server."""

import json
import time
from pathlib import Path

import pytest

from super_agent.core.errors import (
    ModelNotFound,
    ReplyBroken,
    ServerFailed,
)
from super_agent.core.ollama.api import LoadedModel, Ollama, ProgressResponse, same_model
from super_agent.core.ollama.responses import StoredModel
from tests.scripted_models import DEFAULT_KEEP_ALIVE_S, WEIGHT_BYTES, Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Raw


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
    assert steps[-1] == ProgressResponse("success")
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
