"""The task set: each task can be solved, is not solved at its start, and cannot be won by changing its tests."""

from collections import Counter
from pathlib import Path

import pytest

from evaluation.judge import Judge, left_in
from evaluation.task import KINDS, Task, TasksUnreadable, read_ours, read_task, write_files

TASKS = read_ours()
named = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@named
def test_the_reference_solution_is_green_and_the_start_is_red(task: Task, judge: Judge) -> None:
    solved = judge.judge(task, {**task.start, **task.solution})
    start = judge.judge(task, task.start)

    assert solved.passed, solved.output
    assert not start.passed


def test_there_are_forty_tasks_in_four_kinds() -> None:
    counts = Counter(task.kind for task in TASKS)

    assert len(TASKS) >= 40
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 8


def test_features_and_chores_touch_several_files() -> None:
    assert [task.name for task in TASKS if task.kind in ("feature", "chore") and len(task.targets) < 2] == []


def test_changed_tests_and_planted_configuration_win_nothing(tmp_path: Path, judge: Judge) -> None:
    task = next(task for task in TASKS if task.name == "mend/leap-year")
    planted = {
        "test_leap.py": b"def test_nothing(): pass\n",
        "conftest.py": b"import os\nos._exit(0)\n",
        "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
        "pytest.py": b"raise SystemExit(0)\n",
    }
    write_files({**task.start, **planted}, tmp_path)
    (tmp_path / "secret").symlink_to("/etc/passwd")

    left = left_in(tmp_path, task)

    assert set(left) == {"leap.py", "test_leap.py"}
    assert not judge.judge(task, left).passed


def test_a_folder_that_is_no_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(TasksUnreadable, match=r"has no task\.md"):
        read_task(tmp_path, "mend")
    with pytest.raises(TasksUnreadable, match="holds no tasks"):
        read_ours(tmp_path)
