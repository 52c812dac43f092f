"""Spellings, ports, paths and keys of a real server: what is the same instance, what is not, and what is never told."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interpreter.ollama_adapter import OllamaAdapter
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.instance.check_results import CheckLine
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.same_instance_proof import five_checks
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from tests.live.command_line import CommandLine, foreign
from tests.live.conftest import LiveOllama
from tests.live.reverse_proxy import PATH, ReverseProxy

pytestmark = pytest.mark.timeout(300)

KEY = "k3y-that-nobody-may-see"


@pytest.fixture
def another_server(live_ollama: LiveOllama, tmp_path: Path) -> Iterator[Callable[[str], OwnOllama]]:
    """A second server with the same stored models, so the same names."""
    started: list[OwnOllama] = []

    def start(address: str) -> OwnOllama:
        started.append(OwnOllama(find_program("--installed"), tmp_path / "second.log", address=address))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def checked(autogen: Settings, executor: Settings) -> list[CheckLine]:
    """The five checks where the halves were given two different settings, which no command can do."""
    adapter = OllamaAdapter(executor, CountingMiddleware())
    try:
        with Ollama(autogen) as server:
            return five_checks(server, LLMClient(autogen, CountingMiddleware(), 0), adapter, autogen)
    finally:
        adapter.close()


def users(command: CommandLine) -> int:
    """How many clients of the model `ps` shows."""
    models = json.loads(command("ps", "--json").out)["models"]
    return sum(len(m["clients"]) for m in models if m["name"] == f"{command.model}:latest")


def statuses(command: CommandLine) -> dict[str, str]:
    """What `verify` says of each check."""
    done = command("verify", "--load", "--json")
    assert done.code == 0, done.out + done.err
    return {c["name"]: c["status"] for c in json.loads(done.out)["checks"]}


def test_localhost_and_its_number_are_one_instance(live_ollama: LiveOllama, tmp_path: Path) -> None:
    number = CommandLine(live_ollama.base_url, live_ollama.model, tmp_path)
    name = CommandLine(live_ollama.base_url.replace("127.0.0.1", "localhost"), live_ollama.model, tmp_path)
    by_number, by_name = (
        load_settings({"base_url": c.base_url, "model": c.model, "state_dir": tmp_path / "state"}, environ={})
        for c in (number, name)
    )
    assert [(c.name, c.status, c.seen) for c in checked(by_number, by_name)][3] == ("url", "passed", "url_spelt")
    assert statuses(name)["process"] == statuses(number)["process"] == "passed"
    lock = ClientLock(by_number, "autogen")
    try:
        assert users(name) == users(number) == 1
    finally:
        lock.close()


def test_a_server_on_ipv6_is_proven_like_any_other(
    live_ollama: LiveOllama, another_server: Callable[[str], OwnOllama], tmp_path: Path
) -> None:
    server = another_server("[::1]:0")
    assert server.base_url.startswith("http://[::1]:")
    command = CommandLine(server.base_url, live_ollama.model, tmp_path)
    assert {statuses(command)[name] for name in ("server", "loaded", "url", "runner", "process", "contexts")} == {
        "passed"
    }
    settings = load_settings({"base_url": server.base_url, "model": command.model}, environ={})
    four = load_settings(
        {"base_url": server.base_url.replace("[::1]", "127.0.0.1"), "model": command.model}, environ={}
    )
    assert [(c.name, c.status) for c in checked(settings, four)][3] == ("url", "failed")


def test_two_servers_with_the_same_model_name_are_told_apart_everywhere(
    live_ollama: LiveOllama, another_server: Callable[[str], OwnOllama], tmp_path: Path
) -> None:
    first = CommandLine(live_ollama.base_url, live_ollama.model, tmp_path)
    second = CommandLine(another_server("127.0.0.1:0").base_url, live_ollama.model, tmp_path)
    assert first("up").code == second("up").code == 0
    here, there = (
        load_settings({"base_url": c.base_url, "model": c.model, "state_dir": tmp_path / "state"}, environ={})
        for c in (first, second)
    )
    assert [(c.name, c.status) for c in checked(here, there)][3:] == [("url", "failed"), ("name", "passed")]
    # Both hold the same blob; each sees its own runner as the only one.
    pids = [
        next(c["values"]["pid"] for c in json.loads(one("verify", "--json").out)["checks"] if c["name"] == "process")
        for one in (first, second)
    ]
    assert len(set(pids)) == 2
    lock = ClientLock(here, "autogen")
    try:
        assert (users(first), users(second)) == (1, 0)
    finally:
        lock.close()


@pytest.fixture
def proxied(live_ollama: LiveOllama, tmp_path: Path) -> Iterator[tuple[ReverseProxy, CommandLine]]:
    """The server behind a path and a key."""
    with ReverseProxy(live_ollama.base_url, KEY) as proxy:
        yield proxy, CommandLine(proxy.base_url, live_ollama.model, tmp_path, {"SUPER_AGENT_API_KEY": KEY})


def test_behind_a_path_and_a_key_both_halves_work_and_the_key_is_never_told(
    proxied: tuple[ReverseProxy, CommandLine], tmp_path: Path
) -> None:
    proxy, command = proxied
    up = command("up")
    verify, text = command("verify", "--load", "--json"), command("verify")
    # One call of each is enough here: what comes after is the same on any address.
    run = command("run", "Say hello.", "-w", str(command.workspace()), "--max-tokens", "1", "--json")
    solo = command("run", "Say hello.", "-w", str(command.workspace("solo")), "--solo", "--max-tokens", "1")
    seen = {c["name"]: c for c in json.loads(verify.out)["checks"]}
    assert (up.code, verify.code, text.code) == (0, 0, 0), up.err + verify.err
    assert seen["url"]["values"]["autogen"].endswith(f"{PATH}/v1/chat/completions")
    assert seen["runner"]["status"] == "passed"
    assert (run.events[-1]["reason"], run.events[-1]["exit_code"]) == ("token_limit", 1), run.err
    assert solo.code in (0, 1), solo.err  # whether one call was enough is the model's affair
    assert proxy.refused == 0
    for done in (up, verify, text, run, solo, command("ps", "--clients"), command("ps", "--json")):
        assert KEY not in done.out + done.err
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


def test_a_missing_or_wrong_key_is_one_line_that_names_the_setting(
    proxied: tuple[ReverseProxy, CommandLine],
) -> None:
    proxy, command = proxied
    command.variables["SUPER_AGENT_API_KEY"] = "wr0ng-key-of-the-user"
    for arguments in (("run", "x", "-w", str(command.workspace())), ("ps",), ("up",)):
        done = command(*arguments)
        assert done.code == 3
        assert f"{proxy.base_url} refused access (HTTP 401)" in done.err
        assert "SUPER_AGENT_API_KEY" in done.err
        assert "wr0ng" not in done.out + done.err
    assert proxy.refused == 3
    assert "refused access" in command("verify").out


def test_a_foreign_client_is_seen_behind_a_proxy_too(
    proxied: tuple[ReverseProxy, CommandLine], live_ollama: LiveOllama
) -> None:
    _proxy, command = proxied
    assert command("up").code == 0
    done = command.run_with(lambda: foreign(live_ollama.base_url, command.model, options={"num_ctx": 1024}))
    assert [e["kind"] for e in done.noted] == ["reload", "reload"]
    assert all("its own num_ctx: 1024" in e["cause"] for e in done.noted)
    assert KEY not in done.out + done.err
