"""Files that cannot be written any more, from a random moment on: one line, and a resume that ends as it should."""

import os
import random
import resource
import time
from pathlib import Path

import pytest

from super_agent.core.errors import ExitCode
from tests.cli.background import start
from tests.cli.three_turns import CHECK, TASK, Ended, begin_anew, executor, left_behind, team
from tests.scripted_ollama import ScriptedOllama

RUNS = int(os.environ.get("TORTURE_RUNS", "3"))


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_run_whose_writes_fail_from_a_random_moment_on_says_so_and_is_resumed(
    undisturbed: tuple[Ended, float], tmp_path: Path, seed: int
) -> None:
    expected, took_s = undisturbed
    (tmp_path / "workspace").mkdir()
    at = ("--workspace", str(tmp_path / "workspace"))
    with ScriptedOllama(autogen=team, executor=executor) as server:
        run = ("run", TASK, *at, "--base-url", server.base_url, "--model", server.model, "--check", CHECK, "--json")
        process = start(tmp_path, *run)
        time.sleep(random.Random(seed).uniform(0.3, took_s))
        # Every write to a file then fails with EFBIG, which SQLite calls a disk I/O error.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        out, err = process.communicate(timeout=110)
        assert "Traceback" not in err
        if process.returncode != ExitCode.OK:
            assert len(err.splitlines()) <= 1
            command = ("resume", *at, "--json") if "turn_started" in out else run
            if "turn_started" not in out:
                begin_anew(tmp_path)
            process = start(tmp_path, *command)
            out, err = process.communicate(timeout=110)
            assert process.returncode == ExitCode.OK, out[-1000:] + err
    assert left_behind(tmp_path) == expected
