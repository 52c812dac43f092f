import pytest

from roman import to_roman


@pytest.mark.parametrize(
    ("number", "text"), [(1, "I"), (4, "IV"), (9, "IX"), (14, "XIV"), (40, "XL"), (90, "XC"), (400, "CD"), (1994, "MCMXCIV")]
)
def test_numbers(number, text):
    assert to_roman(number) == text


def test_zero_is_an_error():
    with pytest.raises(ValueError):
        to_roman(0)
