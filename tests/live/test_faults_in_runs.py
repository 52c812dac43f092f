"""What other programs do to the model while a whole run lasts: event, counter, verdict and exit code."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from super_agent.provision.demo_model import TINY, packaged_model
from tests.live.command_line import OTHER, CommandLine, Ended, foreign, make_other_model
from tests.live.conftest import LiveOllama

pytestmark = pytest.mark.timeout(300)

CLEAN = {"load": 0, "reload": 0, "eviction": 0, "keep_alive_reset": 0, "truncation": 0, "queued": 0}
CLEAN_RUNS = 10


@pytest.fixture
def command(live_ollama: LiveOllama, tmp_path: Path) -> CommandLine:
    ready = CommandLine(live_ollama.base_url, live_ollama.model, tmp_path)
    assert ready("up").code == 0
    return ready


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., CommandLine]]:
    """A server of the test's own, with settings that it must not share with others."""
    with ExitStack() as stack:

        def start(**variables: str) -> CommandLine:
            own = stack.enter_context(OwnOllama(find_program("--installed"), tmp_path / "log", variables=variables))
            with Ollama(load_settings({"base_url": own.base_url}, environ={})) as server:
                model = packaged_model(server, TINY, lambda _text: None)
            return CommandLine(own.base_url, model, tmp_path)

        yield start


def counted(done: Ended) -> dict[str, int]:
    """What is not zero in the summary."""
    return {kind: count for kind, count in done.events[-1]["instance"].items() if count}


@pytest.mark.parametrize("team", [True, False], ids=["team", "solo"])
def test_a_foreign_num_ctx_in_a_run_is_told_with_its_cause_each_way(command: CommandLine, team: bool) -> None:
    done = command.run_with(lambda: foreign(command.base_url, command.model, options={"num_ctx": 1024}), team=team)
    assert [(e["kind"], e["expected"]) for e in done.noted] == [("reload", False)] * 2
    for event in done.noted:
        assert event["cause"] == "a client sends its own num_ctx: 1024 tokens instead of the 8192 baked in"
        assert event["fix"] == f"Let that client send no num_ctx, then: super-agent up --model {command.model}"
    assert counted(done) == {"reload": 2}
    assert (done.code, done.events[-1]["exit_code"]) == (1, 1), done.err


def test_a_client_on_the_base_name_in_a_run_is_named(command: CommandLine) -> None:
    done = command.run_with(lambda: foreign(command.base_url, TINY.base, options={"num_ctx": 2048}))
    causes = {event["cause"] for event in done.noted}
    wanted = f"which {command.model} was made from: the same weights with context 2048"
    assert causes == {f"a client uses {TINY.base}, {wanted}"}
    assert counted(done) == {"reload": 2}
    assert done.code == 1


@pytest.mark.parametrize("model", ["itself", "base"])
def test_a_strict_run_ends_with_3_and_says_why_in_one_line(command: CommandLine, model: str) -> None:
    name = command.model if model == "itself" else TINY.base
    done = command.run_with(lambda: foreign(command.base_url, name, options={"num_ctx": 1024}), "--strict-instance")
    end = done.events[-1]
    assert (done.code, end["type"], end["reason"], end["exit_code"]) == (3, "run_ended", "error", 3)
    assert counted(done) == {"reload": 1}
    [line] = done.err.splitlines()
    assert "the model instance changed (reload)" in line
    assert f"super-agent up --model {command.model}" in line


def test_a_model_that_is_unloaded_in_a_run_is_an_eviction_and_a_load(
    command: CommandLine, live_settings: Callable[..., Settings]
) -> None:
    def unload() -> None:
        with Ollama(live_settings()) as server:
            server.unload(command.model)

    done = command.run_with(unload)
    assert [e["kind"] for e in done.noted] == ["eviction", "load"]
    assert all("it was unloaded" in e["cause"] for e in done.noted)
    assert counted(done) == {"eviction": 1, "load": 1}
    assert done.code == 1


def test_a_second_model_that_takes_the_only_place_is_named_with_the_setting(
    own_server: Callable[..., CommandLine], tmp_path: Path
) -> None:
    command = own_server(OLLAMA_MAX_LOADED_MODELS="1")
    make_other_model(command.base_url, tmp_path)
    done = command.run_with(lambda: foreign(command.base_url, OTHER))
    unexpected = [e for e in done.noted if not e["expected"]]
    assert [e["kind"] for e in unexpected] == ["eviction", "load"]
    took = f"{OTHER}:latest took its place: the server keeps 1 loaded (OLLAMA_MAX_LOADED_MODELS)"
    assert {e["cause"] for e in unexpected} == {took}
    assert "OLLAMA_MAX_LOADED_MODELS=2" in unexpected[0]["fix"]
    assert counted(done)["eviction"] == 1
    assert done.code == 1


def test_preflight_says_whom_loading_our_model_drops(own_server: Callable[..., CommandLine], tmp_path: Path) -> None:
    command = own_server(OLLAMA_MAX_LOADED_MODELS="1")
    make_other_model(command.base_url, tmp_path)
    foreign(command.base_url, OTHER)
    done = command.preflight()
    told = [e["text"] for e in done.events if e["type"] == "notice" and e["level"] == "warning"]
    assert any(f"loading {command.model} drops {OTHER}:latest" in text for text in told), told
    assert counted(done) == {"load": 1}


def test_preflight_loads_the_model_anew_where_another_client_has_its_own_context(command: CommandLine) -> None:
    foreign(command.base_url, command.model, options={"num_ctx": 1024})
    done = command.preflight()
    told = [e["text"] for e in done.events if e["type"] == "notice" and e["level"] == "warning"]
    assert any("1024 tokens instead of the 8192" in text and "loaded anew for this run" in text for text in told), told
    [ready] = [e for e in done.events if e["type"] == "model_ready"]
    assert ready["context_length"] == 8192
    assert [(e["kind"], e["expected"]) for e in done.noted] == [("load", True)]


def test_two_slots_of_the_server_raise_no_alarm(own_server: Callable[..., CommandLine]) -> None:
    command = own_server(OLLAMA_NUM_PARALLEL="2")
    assert command("up").code == 0
    done = command.run_with(lambda: foreign(command.base_url, command.model))
    assert (done.noted, done.events[-1]["instance"], done.code) == ([], CLEAN, 1)


@pytest.mark.timeout(900)
def test_ten_clean_runs_raise_no_alarm(command: CommandLine) -> None:
    for number in range(CLEAN_RUNS):
        workspace = str(command.workspace(f"clean-{number}"))
        # Each fifth run is the whole team; one agent needs fewer prompts.
        mode = ("--solo",) if number % 5 else ()
        done = command("run", "Say hello.", "-w", workspace, "--check", "false", "--max-turns", "1", "--json", *mode)
        assert (done.noted, done.events[-1]["instance"], done.code) == ([], CLEAN, 1), done.err


def test_a_foreign_request_that_waits_behind_ours_is_a_reload_and_no_eviction(command: CommandLine) -> None:
    asked: list[threading.Thread] = []

    def ask() -> None:
        # In the middle of a reply: it is served when that is over, while our next request is on its way.
        asked.append(
            threading.Thread(
                target=foreign, args=(command.base_url, command.model), kwargs={"options": {"num_ctx": 1024}}
            )
        )
        asked[-1].start()

    done = command.run_with(lambda: None, team=True, at={"text_streamed": ask})
    asked[0].join()
    unexpected = [event for event in done.noted if not event["expected"]]
    assert {event["kind"] for event in unexpected} == {"reload"}
    assert all("num_ctx" in event["cause"] for event in unexpected)
