"""A path that code flips while sandboxes start never shows what lies outside; as root and as an ordinary user."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.flippers import FLIPPERS, Flipper
from tests.sandbox.flipping import assert_stays_hidden
from tests.sandbox.hostile_scene import Driver
from tests.sandbox.test_hostile import THROW_AWAY_UID

STARTS = 24
"""While paths were looked at by name for each start, the tamest of them came out within that many."""


@pytest.fixture(scope="module", params=["root", "user"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("only root can try this as root: run the tests as root too")
    base = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
    driver = Driver(base, THROW_AWAY_UID if request.param == "user" and os.geteuid() == 0 else None)
    yield driver
    driver.close()
    shutil.rmtree(base)


@pytest.mark.parametrize("flipper", FLIPPERS, ids=lambda flipper: flipper.name)
def test_what_a_flipped_path_leads_to_stays_hidden(driver: Driver, flipper: Flipper) -> None:
    assert_stays_hidden(driver, flipper, STARTS)
