import pytest

from chunks import chunks


def test_even():
    assert chunks([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]


def test_the_last_may_be_shorter():
    assert chunks([1, 2, 3], 2) == [[1, 2], [3]]


def test_nothing():
    assert chunks([], 3) == []


def test_a_size_below_one_is_an_error():
    with pytest.raises(ValueError):
        chunks([1], 0)
