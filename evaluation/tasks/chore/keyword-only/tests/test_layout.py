import pytest

from bill import total
from layout import line
from menu import menu


def test_results_are_the_same():
    assert menu() == ["*Soup*....", "Tea......."]
    assert total(5) == "*total 5*..........."


def test_they_must_be_named():
    assert line("a", width=3) == "a.."
    with pytest.raises(TypeError):
        line("a", True)
