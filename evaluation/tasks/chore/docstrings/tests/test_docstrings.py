import pytest

import maths
import texts

FUNCTIONS = [maths.double, maths.half, texts.twice]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_has_a_docstring(function):
    text = function.__doc__
    assert text and text.strip().endswith(".")
    assert "\n" not in text.strip()


def test_nothing_else_changed():
    assert (maths.double(4), maths.half(4), texts.twice("ab")) == (8, 2, "abab")
