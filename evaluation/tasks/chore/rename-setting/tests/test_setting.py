import json
from pathlib import Path

import settings
from paint import paint


def test_the_new_name_works():
    assert settings.color() == "red"
    assert paint("door") == "a red door of size 3"


def test_the_old_name_is_gone():
    for name in ("settings.json", "settings.py", "paint.py"):
        assert "colour" not in Path(__file__).with_name(name).read_text()


def test_the_file():
    assert json.loads(Path(__file__).with_name("settings.json").read_text()) == {"color": "red", "size": 3}
