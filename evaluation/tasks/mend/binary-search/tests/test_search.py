from search import find


def test_each_item_is_found():
    items = [1, 3, 5, 7, 9, 11]
    assert [find(items, item) for item in items] == [0, 1, 2, 3, 4, 5]


def test_one_item():
    assert find([4], 4) == 0


def test_what_is_not_there():
    assert find([1, 3], 2) == -1
    assert find([], 1) == -1
