import pytest

from render import render
from todo import TodoList


def made():
    todo = TodoList()
    todo.add("wash")
    todo.add("cook")
    return todo


def test_new_tasks_are_open():
    assert render(made()) == ["[ ] wash", "[ ] cook"]


def test_a_done_task_is_marked():
    todo = made()
    todo.done("cook")
    assert render(todo) == ["[ ] wash", "[x] cook"]


def test_an_unknown_task():
    with pytest.raises(KeyError):
        made().done("sleep")
