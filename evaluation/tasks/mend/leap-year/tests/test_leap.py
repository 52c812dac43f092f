from leap import days_in, is_leap


def test_each_fourth():
    assert is_leap(2024) and not is_leap(2023)


def test_not_the_hundreds():
    assert not is_leap(1900)


def test_but_the_four_hundreds():
    assert is_leap(2000)


def test_days():
    assert days_in(1600) == 366
    assert days_in(2001) == 365
