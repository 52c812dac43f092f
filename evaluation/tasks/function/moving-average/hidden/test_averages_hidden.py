from averages import moving_average


def test_exactly_enough():
    assert moving_average([1, 2, 6], 3) == [3]
    assert moving_average([], 1) == []
