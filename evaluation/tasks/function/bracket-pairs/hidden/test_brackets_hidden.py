from brackets import is_balanced


def test_deep_nesting():
    assert is_balanced("(" * 500 + ")" * 500) is True
    assert is_balanced("[" * 500 + "]" * 499) is False
