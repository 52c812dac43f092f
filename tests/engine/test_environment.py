"""Environments are made whole or not at all, once, with uv and without it."""

import base64
import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from interpreter.engine.environment import ensure_environment, index_environment
from super_agent.core.errors import EngineFailed

MAKE = (
    "import sys; from pathlib import Path; from interpreter.engine.environment import ensure_environment\n"
    "folder, lock = map(Path, sys.argv[1:])\n"
    "print(ensure_environment('some', lock, lambda text: print('said:', text, flush=True), folder), flush=True)"
)
# As much of uv as is used: `uv venv … FOLDER` makes an environment that is this Python, `uv pip install` does nothing.
UV = """#!/bin/sh
env >>{log}
{first}
[ "$1" = venv ] || exit 0
for folder; do :; done
mkdir -p "$folder/bin" && ln -s {python} "$folder/bin/python"
"""
InstallUv = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("")
    return path


@pytest.fixture
def install_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallUv:
    """Puts a stand-in for uv first on PATH, which does `first` before anything; returns where it logs its variables."""

    def install(first: str = ":") -> Path:
        programs, log = tmp_path / "programs", tmp_path / "log"
        programs.mkdir(exist_ok=True)
        (programs / "uv").write_text(UV.format(log=log, first=first, python=sys.executable))
        (programs / "uv").chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        return log

    return install


def _make(folder: Path, lock: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAKE, str(folder), str(lock)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def _calls(log: Path) -> int:
    return sum(line.startswith("PATH=") for line in log.read_text().splitlines())


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_processes_at_once_make_it_once_and_the_second_says_that_it_waits(
    folder: Path, lock: Path, install_uv: InstallUv, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    log = install_uv(f"while [ ! -e {go} ]; do sleep 0.02; done")
    first = _make(folder, lock)
    _await(log.exists)
    second = _make(folder, lock)
    assert second.stdout is not None
    assert second.stdout.readline() == "said: another super-agent is making the some environment; waiting for it\n"
    go.touch()
    told = [first.communicate(timeout=30)[0].splitlines(), second.communicate(timeout=30)[0].splitlines()]
    assert told[0] == ["said: making the some environment once, from " + f"{tmp_path.name}/{lock.name}", told[1][0]]
    assert len(told[1]) == 1
    assert _calls(log) == 2  # one `uv venv`, one `uv pip install`


def test_one_killed_half_way_leaves_nothing_in_the_way_of_the_next(
    folder: Path, lock: Path, install_uv: InstallUv
) -> None:
    log = install_uv("[ $1 = venv ] || sleep 60")
    killed = _make(folder, lock)
    _await(lambda: log.exists() and _calls(log) == 2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert len(list(folder.iterdir())) == 2  # the lock file, and what was half made
    install_uv()
    python = ensure_environment("some", lock, lambda _text: None, folder)
    assert python.exists()
    assert sorted(folder.iterdir()) == sorted([python.parent.parent, folder / "some.lock"])


def test_a_failure_is_told_with_its_reason_and_leaves_nothing(folder: Path, lock: Path, install_uv: InstallUv) -> None:
    install_uv("[ $1 = venv ] || { echo 'error: no such index' >&2; exit 2; }")
    with pytest.raises(EngineFailed, match="could not be made: error: no such index") as caught:
        ensure_environment("some", lock, lambda _text: None, folder)
    assert "check the network" in caught.value.fix
    assert [path.name for path in folder.iterdir()] == ["some.lock"]


def test_a_folder_that_cannot_be_written_is_named(lock: Path) -> None:
    with pytest.raises(EngineFailed, match="cannot be made") as caught:
        ensure_environment("some", lock, lambda _text: None, lock / "data")
    assert "folder writable" in caught.value.fix


def test_a_made_one_is_used_where_nothing_can_be_written(folder: Path, lock: Path, install_uv: InstallUv) -> None:
    install_uv()
    python = ensure_environment("some", lock, lambda _text: None, folder)
    install_uv("exit 1")
    (folder / "some.lock").unlink()
    (folder / "some.lock").mkdir()  # so that even root could not lock
    assert ensure_environment("some", lock, lambda _text: None, folder) == python


def test_uv_is_told_how_to_reach_the_index_and_nothing_else(
    folder: Path, lock: Path, install_uv: InstallUv, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install_uv()
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.example/simple")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("A_SECRET", "1")
    ensure_environment("some", lock, lambda _text: None, folder)
    passed = set(log.read_text().splitlines())
    assert "UV_DEFAULT_INDEX=http://index.example/simple" in passed
    assert not {"PIP_TARGET=/elsewhere", "A_SECRET=1"} & passed


@pytest.mark.parametrize("named", [None, "/mine.pem"])
def test_the_systems_certificates_are_taken_where_the_user_names_none(
    named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    if named:
        monkeypatch.setenv("SSL_CERT_FILE", named)
    empty, bundle = tmp_path / "empty.crt", tmp_path / "bundle.pem"
    empty.touch()
    bundle.write_text("a certificate")

    environment = index_environment([tmp_path / "absent.crt", empty, bundle])

    expected = named or str(bundle)
    assert (environment["SSL_CERT_FILE"], environment["PIP_CERT"]) == (expected, expected)


@pytest.mark.skipif(importlib.util.find_spec("ensurepip") is None, reason="this Python has no ensurepip: no venv")
def test_without_uv_venv_and_pip_make_one_whose_programs_start(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = _wheel(tmp_path)
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"hello==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    (tmp_path / "no-programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    python = ensure_environment("some", lock, lambda _text: None, folder)
    told = subprocess.run([python.parent / "hello"], capture_output=True, text=True, check=True)
    assert told.stdout == f"hello from {python.parent.parent}\n"


def _wheel(folder: Path) -> Path:
    """A package with one program, packed by hand (PEP 427)."""
    files = {
        "hello.py": "import sys\ndef main(): print('hello from', sys.prefix)\n",
        "hello-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n",
        "hello-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for name, text in files.items()
    )
    path = folder / "hello-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "hello-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return path
