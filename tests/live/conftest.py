"""The live layer's server: a real Ollama with a real, tiny model, on a port and in folders of its own.

`LIVE_TESTS=required` turns a server that cannot be had into a failure, as `.ci/run` wants it; otherwise the layer is
skipped with the reason.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from evaluation.server_log import ServerLog
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import OllamaUnreachable, SuperAgentError
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from super_agent.provision.demo_model import SMALL_CODER, TINY, packaged_model
from tests.live.containers import driver, kind

HERE = Path(__file__).parent
__all__ = ["driver", "kind"]
"""Fixtures of tests in real containers."""


@dataclass(frozen=True, slots=True)
class LiveOllama:
    """A real server: `model` has its context of 8,192 tokens baked in; `pid` is that of `ollama serve`."""

    base_url: str
    model: str
    log: ServerLog
    server: OwnOllama

    @property
    def pid(self) -> int:
        """Of `ollama serve`."""
        return self.server.pid

    def runners(self) -> tuple[tuple[int, float], ...]:
        """Pid and start time of each model process."""
        return self.server.runners()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is live."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("live")


@pytest.fixture(scope="session")
def live_ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOllama]:
    """One server for all live tests, with an empty memory at first; it ends with them."""
    log = tmp_path_factory.mktemp("ollama") / "server.log"
    try:
        # Never a build here: it takes minutes, and `make ollama` shows its progress.
        server = OwnOllama(_program(), log, debug=True)
    except SuperAgentError as error:
        _not_to_be_had(error)
    with server:
        try:
            settings = load_settings({"base_url": server.base_url}, environ={})
            with Ollama(settings) as management:
                model = packaged_model(management, TINY, lambda _text: None)
        except SuperAgentError as error:
            _not_to_be_had(error)
        yield LiveOllama(server.base_url, model, ServerLog(log), server)


@pytest.fixture(scope="module")
def live_coder(live_ollama: LiveOllama) -> Iterator[str]:
    """The name of a real coder on the same server, for what has to be got done and not only set going.

    Out of memory again after its module: the tests of one instance count the models there.
    """
    with Ollama(load_settings({"base_url": live_ollama.base_url}, environ={})) as management:
        try:
            model = packaged_model(management, SMALL_CODER, lambda _text: None)
        except SuperAgentError as error:
            _not_to_be_had(error)
        yield model
        management.unload(model)


@pytest.fixture
def live_settings(live_ollama: LiveOllama, tmp_path: Path) -> Callable[..., Settings]:
    """Builds settings for the live server, with a state folder of the test's own; flags by their field names."""

    def build(**flags: object) -> Settings:
        given = {"base_url": live_ollama.base_url, "model": live_ollama.model, "state_dir": tmp_path / "state"}
        return load_settings({**given, **flags}, environ={})

    return build


def _program() -> Path:
    """The Ollama whose version is known where it was built, else the installed one."""
    try:
        return find_program("--ours", "--installed")
    except OllamaUnreachable:
        return find_program("--installed")


def _not_to_be_had(error: SuperAgentError) -> NoReturn:
    reason = f"no real Ollama to test against: {error}"
    if os.environ.get("LIVE_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
