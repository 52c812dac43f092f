"""What every test may ask for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings

from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Script

# A busy machine is no failure: what may not take long is measured in benchmarks/.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture
def scripted_ollama() -> Iterator[Callable[..., ScriptedOllama]]:
    """Starts scripted servers: `server = scripted_ollama(["a reply"], context_length=4096)`; stopped after the test."""
    with ExitStack() as servers:

        def start(replies: Script = (), **options: Any) -> ScriptedOllama:
            return servers.enter_context(ScriptedOllama(replies, **options))

        yield start
