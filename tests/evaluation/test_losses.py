"""The judge of format losses: what counts as a right answer that was lost, and what does not."""

import pytest

from evaluation.judge import Judge
from evaluation.losses import answers, blocks, lost_replies
from evaluation.task import Task, read_ours

TASKS = {task.name: task for task in read_ours()}
LEAP = TASKS["mend/leap-year"]
RIGHT = LEAP.solution["leap.py"].decode()
WRONG = LEAP.workspace["leap.py"].decode()
SHAPES = {path: content.decode() for path, content in TASKS["feature/shape-area"].solution.items()}


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{RIGHT}```",
        f"```python leap.py\n{RIGHT}```",
        f"Here it is:\n\n**leap.py**\n```\n{RIGHT}```\nThat passes.",
        f"~~~~py\n# leap.py\n{RIGHT}~~~~",
        f"```leap.py\n{RIGHT}",
        f"```python\nleap.py\n{RIGHT}```",
        RIGHT,
        f"<think>\n```python\n{WRONG}```\n</think>\n```python\n{RIGHT}```",
        f"First:\n```python\nprint(1)\n```\nThen:\n```python\n{RIGHT}```",
    ],
)
def test_a_right_file_is_seen_in_any_form(reply: str, judge: Judge) -> None:
    assert lost_replies(LEAP, ["no", reply], judge) == [1]


@pytest.mark.parametrize("reply", ["", "I mended it.", f"```python\n{WRONG}```", "```python\ndef is_leap(year:\n```"])
def test_nothing_is_seen_where_nothing_right_is(reply: str, judge: Judge) -> None:
    assert lost_replies(LEAP, [reply], judge) == []


@pytest.mark.parametrize("order", [("shapes.py", "measure.py"), ("measure.py", "shapes.py")])
@pytest.mark.parametrize("named", [True, False])
def test_two_files_of_one_reply_are_tried_together(order: tuple[str, str], named: bool, judge: Judge) -> None:
    task: Task = TASKS["feature/shape-area"]
    reply = "\n".join(f"{path if named else ''}\n```python\n{SHAPES[path]}```" for path in order)

    assert lost_replies(task, [reply], judge) == [0]


def test_a_fence_inside_a_file_is_no_end() -> None:
    text = 'def f():\n    """\n    ```\n    f()\n    ```\n    """\n'

    assert text in blocks(f"```python\n{text}```\n")


def test_what_cannot_be_python_is_not_tried() -> None:
    assert list(answers(LEAP, "```python\nthis is no code\n```")) == []
