from clock import add_minutes


def test_within_the_hour():
    assert add_minutes("09:30", 15) == "09:45"


def test_into_the_next_hour():
    assert add_minutes("09:50", 20) == "10:10"


def test_past_midnight():
    assert add_minutes("23:50", 20) == "00:10"


def test_backwards():
    assert add_minutes("00:05", -10) == "23:55"
