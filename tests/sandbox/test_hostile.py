"""Hostile code as root and as an ordinary user: what it says is checked, and so is what happened on the host."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.hostile_scene import Driver, Scene, assert_held, comes_true, make_scene, processes
from tests.sandbox.hostile_snippets import ALL, Snippet

THROW_AWAY_UID = 61234


def _identities() -> list[str]:
    return ["root", "user"] if os.geteuid() == 0 else ["user"]


@pytest.fixture(scope="module", params=["root", "user"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    if request.param not in _identities():
        pytest.skip("only root can try this as root: run the tests as root too")
    base = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
    driver = Driver(base, THROW_AWAY_UID if request.param == "user" and os.geteuid() == 0 else None)
    yield driver
    driver.close()
    shutil.rmtree(base)


@pytest.fixture
def scene(driver: Driver) -> Iterator[Scene]:
    scene = make_scene(driver, Path(tempfile.mkdtemp(prefix="scene-", dir=driver.base)))
    yield scene
    scene.close()


@pytest.mark.parametrize("snippet", ALL, ids=lambda snippet: f"{snippet.category}: {snippet.name}")
def test_hostile_code_is_held(scene: Scene, snippet: Snippet) -> None:
    assert_held(scene, snippet)


def test_a_fork_bomb_is_ended_within_two_seconds_also_where_no_limit_of_the_kernel_holds(scene: Scene) -> None:
    """Root is exempt from RLIMIT_NPROC; for everybody else the bomb fizzles out and the time limit ends the rest."""
    bomb = next(snippet for snippet in ALL if snippet.name == "fork bomb in bash")
    root = os.geteuid() == 0 and scene.driver.uid is None
    told = scene.run(replace(bomb, timeout_s=10.0 if root else 1.0, limits={"max_processes": 512}))
    if root:
        assert float(str(told["duration_s"])) < 6.0
        assert (told["kind"], "processes, more than 512" in str(told["detail"])) == ("died", True)
    assert comes_true(lambda: not processes(str(scene.workspace)))


def test_there_are_at_least_sixty_of_them() -> None:
    assert len({(snippet.category, snippet.name) for snippet in ALL}) >= 60


_WOULD_REACH = {
    "read a file beside the workspace",
    "read it through a link",
    "read it through a hard link",
    "see host processes' command lines",
    "connect to a server of this machine",
    "socket file beside the workspace",
    "abstract socket",
    "move it away",
    "add a hook",
    "32-bit program",
}


@pytest.mark.parametrize("snippet", [s for s in ALL if s.name in _WOULD_REACH], ids=lambda snippet: snippet.name)
def test_without_the_sandbox_the_same_code_reaches_what_it_wants(scene: Scene, snippet: Snippet) -> None:
    told = scene.run(replace(snippet, limits={"contained": False}))
    if "Exec format error" in str(told["output"]):
        pytest.skip("this kernel runs no 32-bit programs")
    assert "REACHED" in str(told["output"]), told


def test_the_self_test_of_a_whole_machine_holds(driver: Driver) -> None:
    folder = Path(tempfile.mkdtemp(dir=driver.base))
    driver.own(folder)
    told = driver.ask(language="self test", workspace=str(folder), python="/usr/bin/python3", limits={})
    attempts = told["attempts"]
    assert isinstance(attempts, list)
    assert len(attempts) > 20
    assert [attempt for attempt in attempts if not attempt["held"]] == []
