"""What `make fresh` takes along into its bare Debian, and that nothing of it stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scripts.bare_debian import ROOT as ROOT_THERE
from scripts.bare_debian import TAKEN_ALONG, BareDebian, NoBareDebian, run_streamed

ROOT = Path(__file__).parents[2]
INTERRUPTED = """
import os
from scripts.bare_debian import run_streamed, temporary_folder
with temporary_folder() as folder:
    (folder / "closed").mkdir(mode=0 if os.geteuid() == 0 else 0o755)
    run_streamed(["bash", "-c", f"sleep 1000 & echo {folder} $!; wait"], 1000)
"""


@pytest.mark.parametrize(
    ("variable", "taken"),
    [
        ("PIP_INDEX_URL", True),
        ("UV_DEFAULT_INDEX", True),
        ("GOPROXY", True),
        ("https_proxy", True),
        ("HTTPS_PROXY", True),
        ("PIP_CACHE_DIR", False),
        ("PIP_FIND_LINKS", False),
        ("UV_CACHE_DIR", False),
        ("UV_PYTHON", False),
        ("GOMODCACHE", False),
        ("GOTOOLCHAIN", False),
        ("SSL_CERT_FILE", False),
        ("PATH", False),
    ],
)
def test_the_way_to_the_registries_is_taken_along_and_no_cache(variable: str, taken: bool) -> None:
    assert bool(TAKEN_ALONG.fullmatch(variable)) is taken


def test_a_step_without_an_end_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert run_streamed(["bash", "-c", "echo begun; sleep 1000; true"], 1) == (124, "begun\n")
    assert time.monotonic() - began < 30
    assert capsys.readouterr().out == "begun\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_trial_leaves_neither_its_folder_nor_its_processes(number: signal.Signals) -> None:
    trial = subprocess.Popen(
        [sys.executable, "-B", "-c", INTERRUPTED], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert trial.stdout is not None
    folder, pid = trial.stdout.readline().split()
    try:
        step = psutil.Process(int(pid))
        assert Path(folder).is_dir()

        os.kill(trial.pid, number)
        errors = trial.communicate(timeout=30)[1]

        assert "KeyboardInterrupt" in errors.splitlines()[-1]
        assert not Path(folder).exists()
        assert not step.is_running() or step.status() == psutil.STATUS_ZOMBIE
    finally:
        trial.kill()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_who_is_not_root_is_told_so_in_one_line() -> None:
    done = subprocess.run(["make", "fresh"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "super-agent: make fresh makes a Debian to try things in, which only root can" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_part_is_a_usage_error() -> None:
    done = subprocess.run(["make", "fresh", "PART=all-of-it"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "Error 2" in done.stderr
    assert "invalid choice: 'all-of-it'" in done.stderr


def test_device_files_of_a_debian_are_copied_as_such(tmp_path: Path) -> None:
    (tmp_path / "bare/dev").mkdir(parents=True)
    os.mkfifo(tmp_path / "bare/dev/pipe")
    copy = BareDebian(tmp_path / "bare").copied(tmp_path / "root")
    assert (copy.folder / "dev/pipe").is_fifo()


def test_what_git_cannot_clone_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(NoBareDebian, match="git clone: fatal: .*/nothing"):
        BareDebian(tmp_path / "bare").clone(tmp_path / "nothing", ROOT_THERE)
