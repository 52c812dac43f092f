"""`python -m evaluation` as one types it."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.__main__ import CI_TASKS, models_for
from evaluation.contestants.catalogue import ALL
from evaluation.task import read_ours
from tests.scripted_ollama import ScriptedOllama

PROJECT = Path(__file__).parents[2]
RIGHT = "```python leap.py\n{}```"


def evaluation(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-m", "evaluation", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_from_tasks_to_table_and_plot_and_again_without_running(tmp_path: Path) -> None:
    task = next(task for task in read_ours() if task.name == "mend/leap-year")
    reply = RIGHT.format(task.solution["leap.py"].decode())
    out = tmp_path / "runs.jsonl"
    with ScriptedOllama(lambda _request: reply) as server:
        where = ["--base-url", server.base_url, "--model", server.model, "--out", str(out)]
        words = [*where, "--task", "leap-year", "--contestant", "team", "--contestant", "raw-1"]
        first = evaluation(tmp_path, *words)
        asked = len(server.chats)
        second = evaluation(tmp_path, *words)

        assert (first.returncode, second.returncode) == (0, 0), first.stderr
        assert "2/2 scripted raw model, best of 1 mend/leap-year seed 1: solved" in first.stderr
        assert "0 runs to do, 2 done before" in second.stderr
        assert len(server.chats) == asked
    assert "| **team** | 1 | 1 (100 %) |" in first.stdout
    assert out.with_suffix(".md").read_text() == second.stdout.removesuffix("\n")
    assert out.with_suffix(".svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--task", "no-such"], 2, "no task is called like no-such"),
        (["--set", "mbpp:/nowhere"], 2, "/nowhere cannot be read"),
        (["--seeds", "0"], 2, "invalid _positive value: '0'"),
        (["--contestant", "nobody"], 2, "invalid choice: 'nobody'"),
        (["--base-url", "http://127.0.0.1:9"], 3, "127.0.0.1:9"),
    ],
)
def test_bad_input_is_one_line(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = evaluation(tmp_path, "--out", str(tmp_path / "runs.jsonl"), *words)

    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_model_is_said(tmp_path: Path) -> None:
    with ScriptedOllama([]) as server:
        done = evaluation(
            tmp_path, "--base-url", server.base_url, "--model", "none", "--out", str(tmp_path / "r.jsonl")
        )

    assert done.returncode == 3
    assert "the server has no model none" in done.stderr


def test_a_server_of_our_own_serves_the_coder_from_its_packages() -> None:
    with ScriptedOllama([], model="qwen2.5-coder-1.5b-16k") as server:
        options = argparse.Namespace(base_url=None, model=None)

        assert models_for(options, server.base_url) == [server.model]


def test_the_slice_of_ci_names_ten_tasks_that_exist() -> None:
    names = [task.name for task in read_ours()]

    assert len(CI_TASKS) == 10
    assert [name for name in CI_TASKS if names.count(name) != 1] == []


def test_every_contestant_of_the_catalogue_can_be_made() -> None:
    contestants = [make() for make in ALL.values()]

    assert len({contestant.name for contestant in contestants}) == len(contestants)
