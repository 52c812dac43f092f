import pytest

from chunks import chunks


def test_more_than_there_is():
    assert chunks([1, 2], 5) == [[1, 2]]


def test_negative():
    with pytest.raises(ValueError):
        chunks([], -1)
