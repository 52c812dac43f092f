"""Habits of notebooks, figures, and the Pythons that users have."""

import subprocess
from pathlib import Path

import pytest

from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from tests.sandbox.conftest import Talk


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("import os\n!ls -l", "use a ```shell block"),
        ("files = !ls", "use a ```shell block"),
        ("%pip install numpy", "nothing can be installed here"),
        ("%matplotlib inline", "plain Python"),
        ("len?", "use help(name)"),
        ("pip install numpy", "```shell block"),
    ],
)
def test_habits_of_notebooks_are_answered_with_what_to_write_instead(python: Talk, code: str, advice: str) -> None:
    told = python(code)
    assert told.kind == "failed"
    assert advice in told.output.splitlines()[-1]


def test_figures_are_saved_as_files_and_named(python: Talk, workspace: Path) -> None:
    package = workspace / "matplotlib"
    (package / "backends").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "backends" / "__init__.py").write_text("")
    (package / "backends" / "backend_agg.py").write_text("class FigureCanvasAgg: pass\n")
    (package / "backend_bases.py").write_text("class FigureManagerBase: pass\n")
    (package / "pyplot.py").write_text(
        "import importlib, os\n"
        "backend = importlib.import_module(os.environ['MPLBACKEND'].removeprefix('module://'))\n"
        "class Figure:\n    def savefig(self, name): open(name, 'wb').write(b'PNG')\n"
        "numbers = [1, 2]\n"
        "def get_fignums(): return list(numbers)\n"
        "def figure(number): return Figure()\n"
        "def close(what): numbers.clear()\n"
        "def show(): backend.show()\n"
    )
    told = python("from matplotlib import pyplot\npyplot.show()\npyplot.show()")
    assert told.output == "Figure saved as figure-1.png\nFigure saved as figure-2.png\n"
    assert sorted(path.name for path in workspace.glob("*.png")) == ["figure-1.png", "figure-2.png"]


def test_a_value_that_is_a_picture_is_saved_as_a_file_and_named(python: Talk, workspace: Path) -> None:
    python("class Picture:\n    def _repr_png_(self): return b'PNG'\n    def __repr__(self): return 'a picture'")
    assert python("Picture()").output == "Image saved as image-1.png\n"
    assert python("_").output == "Image saved as image-2.png\n"
    assert (workspace / "image-2.png").read_bytes() == b"PNG"
    assert python("Picture").output == "<class '__main__.Picture'>\n"
    assert python("Picture._repr_png_ = lambda self: None\nPicture()").output == "a picture\n"


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.12", "3.13"])
def test_the_worker_runs_on_older_and_newer_pythons(version: str, workspace: Path) -> None:
    found = subprocess.run(
        ["bash", "-c", f"ls -d ~/.pyenv/versions/{version}.*/bin/python /usr/bin/python{version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    pythons = found.stdout.split()
    if not pythons:
        pytest.skip(f"no Python {version} on this machine")
    runner = PythonRunner(SandboxPolicy(workspace, Path(pythons[0])))
    talk = Talk(runner)
    told = talk("import sys\nsys.version_info[:2]")
    runner.close()
    assert told.output == f"({version.replace('.', ', ')})\n"
