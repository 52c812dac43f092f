from caesar import shift


def test_letters_move():
    assert shift("abc", 1) == "bcd"


def test_round_the_end():
    assert shift("xyz", 3) == "abc"


def test_case_stays():
    assert shift("Hello, World!", 13) == "Uryyb, Jbeyq!"


def test_backwards():
    assert shift("bcd", -1) == "abc"
