"""The scripted server and a client of its management API."""

from collections.abc import Iterator

import pytest

from super_agent.core.ollama.api import Ollama
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama


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
