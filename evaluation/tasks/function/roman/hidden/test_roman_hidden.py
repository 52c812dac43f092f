import pytest

from roman import to_roman


def test_the_largest():
    assert to_roman(3999) == "MMMCMXCIX"
    with pytest.raises(ValueError):
        to_roman(4000)
