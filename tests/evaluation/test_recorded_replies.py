"""Replies of a real coder that did their task when they were given, read again: none may be lost for its form."""

import json
from pathlib import Path

import pytest

from evaluation.judge import Judge, left_in
from evaluation.task import read_ours, write_files
from super_agent.core.edits.editor import Editor
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply

RESULTS = Path(__file__).parents[2] / "evaluation" / "results"
TASKS = {task.name: task for task in read_ours()}
RECORDED = [json.loads(line) for line in (RESULTS / "replies.jsonl").read_text().splitlines()]
"""First replies of Qwen2.5-Coder 1.5B to prompts of different forms, right ones, four of a task at most."""


@pytest.mark.parametrize("recorded", RECORDED, ids=[f"{i}-{each['task']}" for i, each in enumerate(RECORDED)])
def test_a_reply_that_did_its_task_does_it_still(recorded: dict[str, str], judge: Judge, tmp_path: Path) -> None:
    task = TASKS[recorded["task"]]
    write_files(task.start, tmp_path)
    with Workspace(tmp_path) as workspace:
        editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
        reply = parse_coder_reply(recorded["reply"], editor.surroundings(task.text))
        applied = editor.apply(reply.files, task.text)
    assert judge.judge(task, left_in(tmp_path, task)).passed, (applied, reply.unused)
