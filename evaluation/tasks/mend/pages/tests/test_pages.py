import pytest

from pages import page, page_count


def test_full_pages():
    assert page_count(range(20), 10) == 2


def test_the_last_may_be_shorter():
    assert page_count(range(21), 10) == 3
    assert page([1, 2, 3], 2, 2) == [3]


def test_no_such_page():
    with pytest.raises(IndexError):
        page([1, 2, 3], 3, 2)


def test_nothing_has_no_pages():
    assert page_count([], 5) == 0
