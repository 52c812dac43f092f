"""A store of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.events import RunStarted
from super_agent.core.store.store import Store

STARTED = RunStarted("do it", "team", "/w", "m", "http://h", None, "bubblewrap", {"turns": 8, "seconds": None})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open until the test ends."""
    with Store.open(tmp_path / "state") as opened:
        yield opened
