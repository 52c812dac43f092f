from flatten import flatten


def test_tuples_stay_whole():
    assert flatten([(1, 2), [[(3,)]]]) == [(1, 2), (3,)]
