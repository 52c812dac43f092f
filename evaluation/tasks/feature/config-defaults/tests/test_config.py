import pytest

from access import get_int, get_text
from config import load

TEXT = "# ports\nport = 80\n\nhost = here\n"


def test_lines():
    assert load(TEXT) == {"port": "80", "host": "here"}


def test_defaults_fill_gaps_only():
    assert load(TEXT, {"port": "1", "user": "me"}) == {"port": "80", "host": "here", "user": "me"}


def test_whole_numbers():
    assert get_int(load(TEXT), "port") == 80
    with pytest.raises(KeyError):
        get_int({}, "port")


def test_texts():
    assert get_text(load(TEXT), "host") == "here"
