from lists import remove_all, unique


def test_apart():
    items = [1, 2, 1, 3]
    assert remove_all(items, 1) == 2
    assert items == [2, 3]


def test_side_by_side():
    items = [1, 1, 1, 2]
    assert remove_all(items, 1) == 3
    assert items == [2]


def test_unique():
    assert unique([2, 1, 2]) == [2, 1]
