"""One lock is held by one open file; who only looks takes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from super_agent.core.locks import alive, alone, is_locked, list_alive, lock_within, open_file, try_lock, unlist, unlock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_a_lock_has_one_holder_until_it_lets_go(path: Path) -> None:
    first, second = open_file(path), open_file(path)
    assert try_lock(first)
    assert not lock_within(second, 0.05)
    unlock(first)
    assert lock_within(second, 0)
    os.close(first)
    os.close(second)


def test_who_looks_takes_nothing_and_leaves_the_file(path: Path) -> None:
    assert not is_locked(path)
    held = open_file(path)
    assert not is_locked(path)
    try_lock(held)
    assert is_locked(path)
    os.close(held)
    assert path.exists()


def test_what_is_listed_is_read_while_its_process_lives_and_removed_after(path: Path) -> None:
    imports = "from pathlib import Path; from super_agent.core.locks import list_alive"
    script = f"{imports}; list_alive(Path({str(path)!r}), b'me')"
    with subprocess.Popen(
        [sys.executable, "-c", f"{script}; print('listed', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "listed\n"
        assert alive(path, 100) == b"me"
        process.kill()
        process.wait(10)
    assert alive(path, 100) is None
    assert not path.exists()


def test_what_is_taken_back_is_no_longer_listed(path: Path) -> None:
    unlist(path, list_alive(path))
    assert not path.exists()


def test_work_that_nobody_is_at_begins_without_a_word(path: Path) -> None:
    told: list[str] = []
    with alone(path, lambda: told.append("waiting")):
        assert is_locked(path)
    assert told == []
    assert not is_locked(path)
