"""A path that code flips while sandboxes start never shows what lies outside; as root and as an ordinary user."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.flippers import FLIPPERS, Flipper
from tests.sandbox.hostile_scene import TOKEN, Driver, comes_true, make_scene, processes
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
    folder = Path(tempfile.mkdtemp(prefix="scene-", dir=driver.base))
    scene = make_scene(driver, folder)
    values = {"folder": folder, "workspace": scene.workspace, "outside": folder / "outside"}
    shutil.rmtree(scene.workspace / ".git")
    _lay_out(scene.workspace, flipper.here, values)
    _lay_out(folder, flipper.beside, values)
    driver.own(*folder.rglob("*"))
    before = sorted(path.name for path in folder.iterdir())
    try:
        told = driver.ask(
            language="flipper",
            code=_filled(flipper.code, values),
            read=_filled(flipper.read, values),
            starts=STARTS,
            anew=flipper.anew,
            workspace=str(folder / flipper.workspace),
            python=_filled(flipper.python, values),
            limits={"readonly_paths": [_filled(path, values) for path in flipper.readable]},
        )
    finally:
        scene.close()

    assert told["flipping"] == "finished", told
    assert TOKEN not in str(told["output"])
    assert int(str(told["started"])) + int(str(told["refused"])) == STARTS
    assert flipper.anew or int(str(told["started"])) > 0 or "moved or replaced" in str(told["reasons"]), told
    assert sorted(path.name for path in folder.iterdir()) == before
    assert comes_true(lambda: not processes(str(scene.workspace)))


def _lay_out(folder: Path, files: dict[str, str], values: dict[str, Path]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(_filled(text.removeprefix("-> "), values))
        else:
            path.write_text(text)


def _filled(text: str, values: dict[str, Path]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
