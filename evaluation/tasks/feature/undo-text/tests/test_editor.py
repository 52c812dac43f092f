import pytest

from commands import run
from editor import Editor


def test_undo_takes_a_write_back():
    assert run(["write ab", "write cd", "undo"]) == "ab"


def test_undo_takes_a_clear_back():
    assert run(["write ab", "clear", "undo"]) == "ab"


def test_twice():
    assert run(["write a", "write b", "undo", "undo"]) == ""


def test_nothing_to_undo():
    editor = Editor()
    editor.undo()
    assert editor.text == ""


def test_unknown():
    with pytest.raises(ValueError):
        run(["jump"])
