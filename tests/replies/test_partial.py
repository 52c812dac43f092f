"""A block with some of a file's definitions changes those and keeps the rest; a whole file stays a whole file."""

from pathlib import Path

import pytest

from super_agent.core.edits.editor import Editor
from super_agent.core.edits.partial import used_names, with_definitions
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply

LEAP = '''\
"""Years."""

FEBRUARY = 2


def is_leap(year):
    return year % 4 == 0


def days_in(year):
    return 366 if is_leap(year) else 365
'''
STACK = """\
class Empty(Exception):
    pass


class Stack:
    def __init__(self):
        self._items = []

    def push(self, item):
        self._items.append(item)

    def pop(self):
        return self._items.pop(0)
"""
NEW_LEAP = "def is_leap(year):\n    return year % 4 == 0 and year % 100 != 0\n"


def merged(old: str, new: str, *others: str, task: str = "") -> str | None:
    lines = with_definitions(old.splitlines(), new.splitlines(), lambda: used_names(others), task.split())
    return None if lines is None else "\n".join(lines) + "\n"


def test_a_function_that_leaves_out_what_others_use_takes_its_place() -> None:
    found = merged(LEAP, NEW_LEAP, "from leap import days_in, is_leap\n")
    assert found == LEAP.replace("    return year % 4 == 0\n", "    return year % 4 == 0 and year % 100 != 0\n")


def test_a_function_that_uses_what_it_leaves_out_takes_its_place() -> None:
    found = merged(LEAP, "def days_in(year):\n    return 365 + is_leap(year)\n")
    assert found is not None
    assert "365 + is_leap(year)" in found
    assert "def is_leap" in found


def test_a_whole_file_that_forgets_a_function_which_others_use_keeps_it() -> None:
    new = LEAP.replace("Years.", "Years and days.").replace("FEBRUARY = 2", "FEBRUARY = 1\nMARCH = 2")
    new = new[: new.index("def days_in")] + "def first():\n    return FEBRUARY\n"
    found = merged(LEAP, new, "from leap import days_in, first\n")
    assert found is not None
    begin = '"""Years and days."""\nMARCH = 2\n\nFEBRUARY = 1\n\n\ndef is_leap'
    assert found.startswith(begin)
    assert found.index("def first") < found.index("def days_in")


def test_a_block_that_uses_what_the_file_imports_and_does_not_import_it_is_a_part() -> None:
    old = "from leap import days_in\n\n\ndef test_a():\n    assert days_in(4)\n\n\ndef test_b():\n    days_in(1)\n"
    new = "def test_b():\n    assert days_in(1) == 365\n"
    assert merged(old, new) == old.replace("    days_in(1)\n", "    assert days_in(1) == 365\n")
    assert merged(old, "from leap import days_in\n\n\n" + new) is None


def test_a_part_of_the_tests_in_the_same_reply_drops_nothing_that_they_use(tmp_path: Path) -> None:
    tests = "from leap import days_in, is_leap\n\n\ndef test_a():\n    assert is_leap(4)\n"
    (tmp_path / "test_leap.py").write_text(tests)
    part = "def test_a():\n    assert is_leap(8)\n"
    text, refusals = in_workspace(tmp_path, "", f"```python leap.py\n{NEW_LEAP}```\n```python test_leap.py\n{part}```")
    assert not refusals
    assert "def days_in" in text
    assert (tmp_path / "test_leap.py").read_text() == tests.replace("is_leap(4)", "is_leap(8)")


@pytest.mark.parametrize("task", ["rename old to new", ""])
def test_what_the_task_names_may_be_renamed(task: str) -> None:
    old = "def old(a):\n    return a\n\n\ndef rest():\n    return 1\n"
    found = merged(old, old.replace("old", "new"), "from m import old\n", task=task)
    assert (found is None) is bool(task)


def test_a_rename_over_two_files_in_one_reply_keeps_no_old_name(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("from leap import days_in\n")
    new, user = LEAP.replace("days_in", "length"), "from leap import length\n"
    text, refusals = in_workspace(tmp_path, "", f"```python leap.py\n{new}```\n```python user.py\n{user}```")
    assert not refusals
    assert text == new


def test_imports_and_new_functions_come_with_it() -> None:
    new = "import calendar\n\n\ndef is_leap(year):\n    return calendar.isleap(year)\n"
    new += "\n\ndef first():\n    return 1\n\n\ndef last():\n    return days_in(2)\n"
    found = merged(LEAP, new)
    assert found is not None
    assert found.startswith('"""Years."""\nimport calendar\n')
    assert found.index("def is_leap") < found.index("def first") < found.index("def last") < found.index("def days_in")


@pytest.mark.parametrize(
    ("old", "new", "others"),
    [
        pytest.param(LEAP, NEW_LEAP, (), id="nobody uses the rest: it may be meant to go"),
        pytest.param(LEAP, NEW_LEAP, ("hasattr(leap, 'days_in')",), id="a name in a string is no use of it"),
        pytest.param(LEAP, LEAP.replace("366", "367"), ("from leap import days_in\n",), id="the whole file"),
        pytest.param(LEAP, "def other():\n    return 1\n", ("from leap import days_in\n",), id="none of its functions"),
        pytest.param(LEAP, "print('hello')\n", ("from leap import days_in\n",), id="no definition"),
        pytest.param(LEAP, "def is_leap(:\n", ("from leap import days_in\n",), id="no Python"),
        pytest.param("def f(:\n", NEW_LEAP, ("from leap import days_in\n",), id="a file that is no Python"),
    ],
)
def test_what_is_no_certain_part_is_left_as_it_is(old: str, new: str, others: tuple[str, ...]) -> None:
    assert merged(old, new, *others) is None


@pytest.mark.parametrize(
    "new",
    [
        "def pop(self):\n    if not self._items:\n        raise Empty\n    return self._items.pop()\n",
        "class Stack:\n    def pop(self):\n        if not self._items:\n            raise Empty\n"
        "        return self._items.pop()\n",
    ],
    ids=["a method without its class", "a class with one of its methods"],
)
def test_a_method_takes_its_place_in_the_class(new: str) -> None:
    found = merged(STACK, new, "from stack import Empty, Stack\nStack().push(1)\n")
    assert found == STACK.replace(
        "        return self._items.pop(0)\n",
        "        if not self._items:\n            raise Empty\n        return self._items.pop()\n",
    )


def test_a_new_method_is_added_to_the_only_class() -> None:
    found = merged(STACK.split("\n\n\n")[1], "def peek(self):\n    return self._items[-1]\n")
    assert found is not None
    assert found.endswith("pop(0)\n\n    def peek(self):\n        return self._items[-1]\n")


def test_decorators_are_part_of_a_definition() -> None:
    old = "import functools\n\n\n@functools.cache\ndef slow(n):\n    return n\n\n\ndef other():\n    return slow(1)\n"
    found = merged(old, "def slow(n):\n    return n + 1\n", "from m import other\n")
    assert found == old.replace("@functools.cache\n", "").replace("return n\n", "return n + 1\n")


def in_workspace(root: Path, task: str, reply: str) -> tuple[str, list[tuple[str, str]]]:
    """The file leap.py after a reply without a path, and the refusals."""
    (root / "leap.py").write_text(LEAP)
    with Workspace(root) as workspace:
        editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
        parsed = parse_coder_reply(reply, editor.surroundings(task))
        refusals = editor.apply(parsed.files).refusals
        assert not parsed.unused, parsed.unused
    return (root / "leap.py").read_text(), refusals


def test_blocks_without_a_path_are_parts_of_the_file_that_has_their_functions(tmp_path: Path) -> None:
    days = "def days_in(year):\n    return 365 + is_leap(year)\n"
    text, refusals = in_workspace(
        tmp_path, "Mend it.", f"First:\n```python\n{NEW_LEAP}```\nThen:\n```python\n{days}```"
    )
    assert not refusals
    assert "FEBRUARY = 2" in text
    assert "year % 100 != 0" in text
    assert "365 + is_leap(year)" in text


def test_two_blocks_of_a_path_with_other_functions_are_both_taken(tmp_path: Path) -> None:
    days = "def days_in(year):\n    return 365 + is_leap(year)\n"
    leap = "def is_leap(year):\n    return days_in(year) == 366\n"
    text, refusals = in_workspace(tmp_path, "", f"```python leap.py\n{leap}```\n```python leap.py\n{days}```")
    assert not refusals
    assert "FEBRUARY = 2" in text
    assert "days_in(year) == 366" in text
    assert "365 + is_leap(year)" in text


def test_a_part_that_changes_nothing_is_refused_with_the_reason(tmp_path: Path) -> None:
    block = "def elsewhere():\n    return 1\n"
    text, refusals = in_workspace(tmp_path, "Mend leap.py.", f"```python\n{block}```")
    assert text == LEAP
    assert refusals == [("leap.py", "the block has no function or class that changes in it; write the file whole")]


@pytest.mark.parametrize(
    "reply",
    ["```\nleap.py\n{new}```", "```\nleap.py:\n```python\n{new}```", "```\n**leap.py**:\n{new}```"],
    ids=["the path", "the path and the fence that was meant", "the path in bold"],
)
def test_a_first_line_that_is_the_path_of_a_file_names_it(tmp_path: Path, reply: str) -> None:
    new = LEAP.replace("366", "367")
    text, refusals = in_workspace(tmp_path, "", reply.format(new=new))
    assert not refusals
    assert text == new


@pytest.mark.parametrize("block", ["leap.py\ntest_leap.py\n", "leap.py\n", "leap.py\nleap.is_leap(2000)\n"])
def test_a_list_of_files_or_a_use_of_one_is_not_its_content(tmp_path: Path, block: str) -> None:
    (tmp_path / "leap.py").write_text(LEAP)
    with Workspace(tmp_path) as workspace:
        editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
        assert not parse_coder_reply(f"```\n{block}```", editor.surroundings("")).files
