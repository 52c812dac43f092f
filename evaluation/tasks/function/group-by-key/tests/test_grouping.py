from grouping import group_by


def test_items_are_grouped_in_order():
    assert group_by(["apple", "bean", "avocado"], lambda word: word[0]) == {"a": ["apple", "avocado"], "b": ["bean"]}


def test_the_key_may_be_any_function():
    assert group_by([1, 2, 3, 4], lambda number: number % 2) == {1: [1, 3], 0: [2, 4]}


def test_nothing():
    assert group_by([], len) == {}
