"""What other programs do to the model in the middle of a run, on the real server: counted, told, explained."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from interpreter.ollama_adapter import OllamaAdapter
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import InstanceChanged, ModelNotFound
from super_agent.core.events import Event, InstanceNoted
from super_agent.core.instance.instance_watch import InstanceWatch, RunMiddleware, make_ready
from super_agent.core.model.chat import Message
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from super_agent.provision.demo_model import TINY, packaged_model
from tests.live.command_line import OTHER, foreign, make_other_model
from tests.live.conftest import LiveOllama

HELLO = [Message("user", "Say hello.")]
NOTED_S = 10.0


class Watched:
    """A run's watch on a model of the test's own, and an executor's client that passes its middleware."""

    def __init__(self, settings: Settings, *, strict: bool = False) -> None:
        self.settings = settings
        self.events: list[Event] = []
        self.server = Ollama(settings)
        self.watch = InstanceWatch(self.server, settings, self.events.append, strict=strict)
        self.watch.begin(make_ready(self.server, settings, self.events.append))
        middleware = RunMiddleware(CountingMiddleware(), self.watch, self.events.append)
        self.adapter = OllamaAdapter(settings, middleware, 2048)

    def ask(self) -> None:
        for _item in self.adapter.stream(HELLO):
            continue

    def noted(self) -> list[tuple[str, bool]]:
        return [(e.kind, e.expected) for e in self.events if isinstance(e, InstanceNoted)]

    def causes(self) -> str:
        return " | ".join(e.cause for e in self.events if isinstance(e, InstanceNoted))

    def close(self) -> None:
        self.adapter.close()
        self.server.close()


MakeWatched = Callable[..., Watched]


@pytest.fixture
def watched(live_ollama: LiveOllama, live_settings: Callable[..., Settings]) -> Iterator[MakeWatched]:
    """A watched model that may be spoilt: an alias made for each test."""
    made: list[Watched] = []

    def make(*, strict: bool = False) -> Watched:
        settings = live_settings(model="watch-alias", max_reply_tokens=16, keep_alive="20m")
        with Ollama(settings) as server:
            for _step in server.create("watch-alias", TINY.base, parameters={"num_ctx": 2048}):
                continue
            server.unload("watch-alias")
        made.append(Watched(settings, strict=strict))
        return made[-1]

    yield make
    for one in made:
        one.close()
    with Ollama(live_settings()) as server:
        for row in server.loaded():
            server.unload(row.name)
        server.load(live_ollama.model, "5m")


def test_ten_clean_turns_raise_no_alarm(watched: MakeWatched) -> None:
    run = watched()
    for _ in range(10):
        run.watch.observe()
        run.ask()
    assert run.noted() == [("load", True)]


def test_a_foreign_num_ctx_is_a_reload_each_way_noticed_once_each(watched: MakeWatched) -> None:
    run = watched()
    run.ask()
    foreign(run.settings.base_url, "watch-alias", options={"num_ctx": 1024})
    run.watch.observe()
    assert run.noted()[1:] == [("reload", False)]
    assert "num_ctx" in run.causes()
    run.ask()
    run.watch.observe()
    assert run.noted()[1:] == [("reload", False), ("reload", False)]
    run.watch.observe()
    assert len(run.noted()) == 3


def test_an_alias_that_shares_the_runner_is_no_alarm(watched: MakeWatched) -> None:
    run = watched()
    for _step in run.server.create("watch-twin", TINY.base, parameters={"num_ctx": 2048, "temperature": 0.5}):
        continue
    foreign(run.settings.base_url, "watch-twin")
    run.watch.observe()
    run.ask()
    run.watch.observe()
    assert [kind for kind, expected in run.noted() if not expected] == []


def test_a_client_on_the_base_model_is_named(watched: MakeWatched) -> None:
    run = watched()
    foreign(run.settings.base_url, TINY.base)
    run.watch.observe()
    assert run.noted()[1:] == [("reload", False)]
    assert f"a client uses {TINY.base}" in run.causes()
    assert "same weights" in run.causes()


def test_an_unloaded_model_is_an_eviction_and_its_return_a_load(watched: MakeWatched) -> None:
    run = watched()
    run.server.unload("watch-alias")
    run.watch.observe()
    run.ask()
    run.watch.observe()
    run.watch.observe()
    assert run.noted()[1:] == [("eviction", False), ("load", False)]


def test_a_foreign_keep_alive_is_noticed(watched: MakeWatched) -> None:
    run = watched()
    foreign(run.settings.base_url, "watch-alias", keep_alive="1m")
    # The server notes how long a model stays once it has taken the request down, a moment after its answer.
    until = time.monotonic() + NOTED_S
    while len(run.noted()) < 2 and time.monotonic() < until:
        run.watch.observe()
        time.sleep(0.05)
    assert run.noted()[1:] == [("keep_alive_reset", False)]


def test_a_model_replaced_under_its_name_is_noticed(watched: MakeWatched) -> None:
    run = watched()
    for _step in run.server.create("watch-alias", TINY.base, parameters={"num_ctx": 1024}):
        continue
    run.ask()
    run.watch.observe()
    assert [kind for kind, expected in run.noted() if not expected] == ["reload"]


def test_a_deleted_model_is_one_clear_error(watched: MakeWatched) -> None:
    run = watched()
    httpx.request("DELETE", f"{run.server.base_url}/api/delete", json={"model": "watch-alias"}).raise_for_status()
    run.server.unload(TINY.base)
    with pytest.raises(ModelNotFound, match="watch-alias"):
        run.ask()


def test_a_strict_run_ends_on_the_first_unexpected_thing(watched: MakeWatched) -> None:
    run = watched(strict=True)
    foreign(run.settings.base_url, "watch-alias", options={"num_ctx": 1024})
    with pytest.raises(InstanceChanged, match="reload"):
        run.watch.observe()


@pytest.fixture
def program() -> Path:
    return find_program("--installed")


def settings_for(server: OwnOllama, tmp_path: Path, model: str) -> Settings:
    flags = {"base_url": server.base_url, "model": model, "state_dir": tmp_path / "state", "max_reply_tokens": 16}
    return load_settings(flags, environ={})


def test_a_restarted_server_is_a_load_and_the_run_goes_on(program: Path, tmp_path: Path) -> None:
    with OwnOllama(program, tmp_path / "one.log") as first:
        with Ollama(settings_for(first, tmp_path, "x")) as server:
            model = packaged_model(server, TINY, lambda _text: None)
        run = Watched(settings_for(first, tmp_path, model))
        address = first.base_url.removeprefix("http://")
    try:
        with OwnOllama(program, tmp_path / "two.log", address=address):
            run.ask()
            run.watch.observe()
            unexpected = [e for e in run.events if isinstance(e, InstanceNoted) and not e.expected]
            assert [(e.kind, e.cause) for e in unexpected] == [("load", "the server was restarted")]
    finally:
        run.close()


def test_another_model_that_takes_its_place_is_named(program: Path, tmp_path: Path) -> None:
    with OwnOllama(program, tmp_path / "log", variables={"OLLAMA_MAX_LOADED_MODELS": "1"}) as own:
        with Ollama(settings_for(own, tmp_path, "x")) as server:
            model = packaged_model(server, TINY, lambda _text: None)
        make_other_model(own.base_url, tmp_path)
        run = Watched(settings_for(own, tmp_path, model))
        try:
            foreign(own.base_url, OTHER)
            run.watch.observe()
            assert run.noted()[-1] == ("eviction", False)
            assert OTHER in run.causes()
        finally:
            run.close()


def test_settings_of_the_server_that_split_are_shown_by_verify(program: Path, tmp_path: Path) -> None:
    with OwnOllama(program, tmp_path / "log", variables={"OLLAMA_NUM_PARALLEL": "2"}) as own:
        with Ollama(settings_for(own, tmp_path, "x")) as server:
            model = packaged_model(server, TINY, lambda _text: None)
        command = [sys.executable, "-m", "super_agent.cli.main", "verify", "--load", "--base-url", own.base_url]
        done = subprocess.run([*command, "--model", model], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OLLAMA_NUM_PARALLEL=2" in done.stdout


def test_two_servers_with_the_same_model_name_are_not_the_same_instance(live_ollama: LiveOllama) -> None:
    from super_agent.core.instance.same_instance_proof import five_checks
    from super_agent.core.llm_client import LLMClient

    here = load_settings({"base_url": live_ollama.base_url, "model": live_ollama.model}, environ={})
    there = load_settings({"base_url": "127.0.0.1:9", "model": live_ollama.model}, environ={})
    adapter = OllamaAdapter(there, CountingMiddleware())
    try:
        with Ollama(here) as server:
            checks = five_checks(server, LLMClient(here, CountingMiddleware(), 0), adapter, here)
    finally:
        adapter.close()
    assert [(c.name, c.status) for c in checks][-2:] == [("url", "failed"), ("name", "passed")]
