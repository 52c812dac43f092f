from ranges import merge


def test_a_chain():
    assert merge([(5, 7), (1, 2), (2, 5), (9, 9)]) == [(1, 7), (9, 9)]


def test_the_argument_is_not_changed():
    given = [(3, 4), (1, 2)]
    merge(given)
    assert given == [(3, 4), (1, 2)]
