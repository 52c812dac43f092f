import pytest

from brackets import is_balanced


@pytest.mark.parametrize("text", ["", "()", "[{}]", "f(a[0], {1: 2})", "()[]{}"])
def test_balanced(text):
    assert is_balanced(text) is True


@pytest.mark.parametrize("text", ["(", ")", "(]", "([)]", "}{"])
def test_not_balanced(text):
    assert is_balanced(text) is False
