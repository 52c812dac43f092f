import pytest

from stack import Stack


def test_the_last_goes_first():
    stack = Stack()
    for item in "abc":
        stack.push(item)
    assert [stack.pop(), stack.pop(), stack.pop()] == ["c", "b", "a"]


def test_peek_leaves_it_there():
    stack = Stack()
    stack.push(1)
    stack.push(2)
    assert stack.peek() == 2
    assert len(stack) == 2


def test_an_empty_one():
    with pytest.raises(IndexError):
        Stack().pop()
