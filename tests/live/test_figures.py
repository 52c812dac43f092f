"""The real matplotlib in the sandbox: what a figure would be on a screen is a file in the workspace."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from tests.sandbox.conftest import Talk

MATPLOTLIB = "matplotlib>=3.8,<4"
PNG = b"\x89PNG\r\n\x1a\n"
SAVED = "Figure saved as figure-{}.png\n"


@pytest.fixture(scope="module")
def python_with_matplotlib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away environment, made from the package index; skipped, with pip's or uv's reason, without one."""
    env = tmp_path_factory.mktemp("matplotlib") / "env"
    python, uv = env / "bin" / "python", shutil.which("uv")
    if uv is not None:
        steps = [[uv, "venv", "-q", "--python", sys.executable, env], [uv, "pip", "install", "-q", "--python", python]]
    else:
        steps = [[sys.executable, "-m", "venv", env], [python, "-m", "pip", "install", "-q"]]
    for step in (steps[0], [*steps[1], MATPLOTLIB]):
        done = subprocess.run(step, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode != 0:
            pytest.skip(f"{MATPLOTLIB} could not be installed: {done.stderr.strip()[-200:]}")
    return python


@pytest.fixture(scope="module")
def opened(python_with_matplotlib: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talk, Path]]:
    """One for all tests: matplotlib looks for fonts first, which takes seconds."""
    folder = tmp_path_factory.mktemp("figures")
    runner = PythonRunner(SandboxPolicy(folder, python_with_matplotlib))
    talk = Talk(runner)
    assert talk("from matplotlib import pyplot as plt\nplt.figure()\nplt.close()", 120).kind == "finished"
    yield talk, folder
    runner.close()


@pytest.fixture
def python(opened: tuple[Talk, Path]) -> Talk:
    talk, folder = opened
    talk("plt.close('all')")
    for path in folder.iterdir():
        path.unlink()
    return talk


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("plt.plot([1, 2]); plt.show()", SAVED.format(1)),
        ("plt.plot([1, 2]); plt.show(block=False); plt.figure(); plt.show()", SAVED.format(1) + SAVED.format(2)),
        ("figure, axes = plt.subplots(); axes.bar([1, 2], [3, 4]); figure.show()", SAVED.format(1)),
        ("figure, axes = plt.subplots()\nfigure", SAVED.format(1)),
        ("import matplotlib\nmatplotlib.use('module://_figures_to_files')\nplt.plot([1]); plt.show()", SAVED.format(1)),
        ("from PIL import Image\nImage.new('RGB', (4, 4))", "Image saved as image-1.png\n"),
    ],
)
def test_figures_of_the_real_matplotlib_are_saved_and_named(
    python: Talk, opened: tuple[Talk, Path], code: str, output: str
) -> None:
    workspace = opened[1]
    told = python(code)
    assert (told.kind, told.output) == ("finished", output)
    files = [workspace / line.split()[-1] for line in output.splitlines()]
    assert sorted(workspace.iterdir()) == sorted(files)
    assert [file.read_bytes()[:8] for file in files] == [PNG] * len(files)


def test_a_figure_is_not_shown_twice_and_a_window_is_refused(python: Talk) -> None:
    assert python("plt.plot([1]); plt.show(); plt.show()").output == SAVED.format(1)
    told = python("import matplotlib\nmatplotlib.use('TkAgg')")
    assert told.kind == "failed"
    assert "headless" in told.output.splitlines()[-1]
