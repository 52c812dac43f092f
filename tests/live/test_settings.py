"""What `.env.example` says about the server, tried on a real one."""

from collections.abc import Callable

import pytest

from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from tests.test_env_example import EXPECTED_S, KEEP_ALIVES, stays_s

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("value", KEEP_ALIVES)
def test_every_keep_alive_keeps_the_model_for_as_long(live_settings: Callable[..., Settings], value: str) -> None:
    settings = live_settings(keep_alive=value)
    with Ollama(settings) as server:
        server.load(settings.model, settings.keep_alive)
        row = next(row for row in server.loaded() if row.name.startswith(settings.model))
    assert stays_s(row.expires_at) == pytest.approx(EXPECTED_S[value], abs=10)
