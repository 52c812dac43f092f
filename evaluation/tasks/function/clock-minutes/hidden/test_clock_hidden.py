from clock import add_minutes


def test_several_days():
    assert add_minutes("12:00", 3 * 24 * 60) == "12:00"
    assert add_minutes("12:00", -24 * 60 - 1) == "11:59"
