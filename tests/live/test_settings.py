"""What `.env.example` says about the server, tried on a real one."""

import time
from collections.abc import Callable

import pytest

from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from tests.test_env_example import EXPECTED_S, KEEP_ALIVES, stays_s

pytestmark = pytest.mark.timeout(120)
NOTED_S = 10.0


@pytest.mark.parametrize("value", KEEP_ALIVES)
def test_every_keep_alive_keeps_the_model_for_as_long(live_settings: Callable[..., Settings], value: str) -> None:
    settings = live_settings(keep_alive=value)
    with Ollama(settings) as server:
        server.load(settings.model, settings.keep_alive)
        # The server notes how long a model stays once it has taken the request down, a moment after its answer.
        until = time.monotonic() + NOTED_S
        while (stays := stays_of(server, settings.model)) != pytest.approx(EXPECTED_S[value], abs=10):
            assert time.monotonic() < until, f"{stays} s, not {EXPECTED_S[value]}"
            time.sleep(0.05)


def stays_of(server: Ollama, model: str) -> float:
    """Seconds for which the model stays loaded."""
    return stays_s(next(row for row in server.loaded() if row.name.startswith(model)).expires_at)
