from ranges import merge


def test_overlapping_ranges_become_one():
    assert merge([(1, 4), (3, 6)]) == [(1, 6)]


def test_ranges_apart_stay_apart():
    assert merge([(7, 9), (1, 3)]) == [(1, 3), (7, 9)]


def test_a_shared_end_is_enough():
    assert merge([(1, 3), (3, 5)]) == [(1, 5)]


def test_one_inside_another():
    assert merge([(1, 10), (2, 3)]) == [(1, 10)]


def test_nothing():
    assert merge([]) == []
