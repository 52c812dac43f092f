from multipliers import multipliers, table


def test_each_has_its_own_factor():
    double, triple = multipliers([2, 3])
    assert (double(10), triple(10)) == (20, 30)


def test_table():
    assert table([1, 2, 3], 5) == [5, 10, 15]


def test_none():
    assert multipliers([]) == []
