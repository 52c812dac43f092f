from convert import to_celsius, to_fahrenheit
from report import line


def test_boiling():
    assert to_fahrenheit(100) == 212
    assert to_celsius(212) == 100


def test_freezing():
    assert to_celsius(32) == 0


def test_line():
    assert line("Oslo", 50) == "Oslo: 10 C"
