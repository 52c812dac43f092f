"""Lays out what a flipper flips, starts sandboxes meanwhile, and looks at what came out."""

import shutil
import tempfile
from pathlib import Path

from tests.sandbox.flippers import Flipper
from tests.sandbox.hostile_scene import TOKEN, Driver, comes_true, make_scene, processes


def assert_stays_hidden(driver: Driver, flipper: Flipper, starts: int, **terms: str) -> None:
    """`terms` are further ones of the policy, an engine and its image."""
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
            starts=starts,
            anew=flipper.anew,
            workspace=str(folder / flipper.workspace),
            python=_filled(flipper.python, values),
            limits={"readonly_paths": [_filled(path, values) for path in flipper.readable], **terms},
        )
    finally:
        scene.close()

    assert told["flipping"] == "finished", told
    assert TOKEN not in str(told["output"])
    assert int(str(told["started"])) + int(str(told["refused"])) == starts
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
