from config import load


def test_the_defaults_are_not_changed():
    defaults = {"a": "1"}
    load("a = 2", defaults)
    assert defaults == {"a": "1"}
