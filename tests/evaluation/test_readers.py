"""Readers of sets that the user has, each on a small file in the published form, written for this test."""

import gzip
import json
from pathlib import Path

import pytest

from evaluation.judge import Judge
from evaluation.readers import read_set
from evaluation.task import Task, TasksUnreadable

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(number: int) -> int:\n    """Twice the number."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * number\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(0) == 0\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function that triples a number.",
    "code": "def triple(number):\r\n    return 3 * number",
    "test_list": ["assert triple(2) == 6", "assert triple(0) == 0"],
    "test_setup_code": "",
}


def assert_right(task: Task, judge: Judge) -> None:
    assert judge.judge(task, {**task.start, **task.solution}).passed
    assert not judge.judge(task, task.start).passed


@pytest.mark.parametrize("packed", [True, False])
def test_humaneval(tmp_path: Path, packed: bool, judge: Judge) -> None:
    lines = f"{json.dumps(HUMANEVAL)}\n\n{json.dumps({**HUMANEVAL, 'task_id': 'HumanEval/1'})}\n".encode()
    path = tmp_path / "HumanEval.jsonl"
    path.write_bytes(gzip.compress(lines) if packed else lines)

    tasks = read_set(f"humaneval:{path}")

    assert [task.name for task in tasks] == ["humaneval/0", "humaneval/1"]
    assert tasks[0].workspace == {"solution.py": HUMANEVAL["prompt"].encode()}
    assert_right(tasks[0], judge)


@pytest.mark.parametrize("as_list", [True, False])
def test_mbpp(tmp_path: Path, as_list: bool, judge: Judge) -> None:
    path = tmp_path / "mbpp.jsonl"
    path.write_text(json.dumps([MBPP], indent=1) if as_list else f"{json.dumps(MBPP)}\n")

    (task,) = read_set(f"mbpp:{path}")

    assert (task.name, task.targets) == ("mbpp/11", ("solution.py",))
    assert_right(task, judge)


def test_exercism(tmp_path: Path, judge: Judge) -> None:
    folder = tmp_path / "exercises" / "practice" / "half-of-it"
    files = {
        ".docs/instructions.md": "# Instructions\n\nHalve a number.\n",
        ".meta/config.json": json.dumps(
            {"files": {"solution": ["half_of_it.py"], "test": ["half_of_it_test.py"], "example": [".meta/example.py"]}}
        ),
        ".meta/example.py": "def half(number):\n    return number / 2\n",
        "half_of_it.py": "def half(number):\n    pass\n",
        "half_of_it_test.py": (
            "import unittest\n\nfrom half_of_it import half\n\n\nclass HalfTest(unittest.TestCase):\n"
            "    def test_half(self):\n        self.assertEqual(half(4), 2)\n"
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    (task,) = read_set(f"exercism:{tmp_path}")

    assert task.text.startswith("# Instructions\n\nHalve a number.")
    assert set(task.start) == {"half_of_it.py", "half_of_it_test.py"}
    assert_right(task, judge)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("theirs", "no such task set: 'theirs'"),
        ("mbpp:", "no such task set"),
        ("mbpp:missing.jsonl", "cannot be read: No such file"),
        ("exercism:missing", "is not a folder"),
    ],
)
def test_what_is_not_there_is_said(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TasksUnreadable, match=said):
        read_set(name)


@pytest.mark.parametrize("content", ["{}", "no json", "[1]", '{"task_id": 1, "test_list": 3}', "[]"])
def test_another_form_is_said(content: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    for kind in ("humaneval", "mbpp"):
        with pytest.raises(TasksUnreadable, match=f"form of {kind}"):
            read_set(f"{kind}:{path}")
