from versions import is_newer, newest


def test_one_digit():
    assert newest(["1.2", "1.3", "1.1"]) == "1.3"


def test_ten_is_more_than_nine():
    assert newest(["1.9.0", "1.10.0"]) == "1.10.0"


def test_is_newer():
    assert is_newer("2.10", "2.9")
    assert not is_newer("2.9", "2.9")
