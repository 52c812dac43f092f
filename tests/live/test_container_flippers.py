"""A path that code flips while containers start never shows what lies outside, though an engine takes names only.

As whoever runs the tests: as root, and, run by an ordinary user, in that user's own containers.
"""

import os

import pytest

from tests.sandbox.flippers import FLIPPERS, Flipper
from tests.sandbox.flipping import assert_stays_hidden
from tests.sandbox.hostile_scene import Driver

STARTS = int(os.environ.get("CONTAINER_STARTS", "8"))
"""A container takes about a second; without our look at what was mounted, the folder of a `.git` file came out within
that many. Half as many where all was decided before the code began."""


@pytest.mark.parametrize("flipper", FLIPPERS, ids=lambda flipper: flipper.name)
def test_what_a_flipped_path_leads_to_stays_hidden(driver: Driver, kind: str, flipper: Flipper) -> None:
    starts = STARTS if flipper.anew else STARTS // 2
    assert_stays_hidden(driver, flipper, starts, engine=kind, image=os.environ["SUPER_AGENT_SANDBOX_IMAGE"])
