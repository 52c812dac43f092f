from caesar import shift


def test_whole_rounds_and_other_letters():
    assert shift("aZ", 52) == "aZ"
    assert shift("é1", 5) == "é1"
