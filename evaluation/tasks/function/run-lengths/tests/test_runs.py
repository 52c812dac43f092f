from runs import decode, encode


def test_equal_neighbours_are_one_run():
    assert encode("aabccc") == [("a", 2), ("b", 1), ("c", 3)]


def test_a_character_may_have_several_runs():
    assert encode("aba") == [("a", 1), ("b", 1), ("a", 1)]


def test_nothing_has_no_runs():
    assert encode("") == []


def test_decoding_is_the_way_back():
    assert decode([("x", 3), ("y", 1)]) == "xxxy"
    assert decode([]) == ""
