from averages import moving_average


def test_two_neighbours():
    assert moving_average([1, 3, 5], 2) == [2, 4]


def test_width_one_changes_nothing():
    assert moving_average([4, 5], 1) == [4, 5]


def test_too_few_numbers():
    assert moving_average([1, 2], 3) == []
