from flatten import flatten


def test_lists_in_lists():
    assert flatten([1, [2, [3, []], 4]]) == [1, 2, 3, 4]


def test_texts_stay_whole():
    assert flatten(["ab", ["cd"]]) == ["ab", "cd"]


def test_nothing():
    assert flatten([]) == []
