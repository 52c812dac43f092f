from pathlib import Path

import geometry
import tools
import words


def test_each_function_lives_in_its_module():
    assert geometry.area(2, 3) == 6
    assert geometry.perimeter(2, 3) == 10
    assert words.initials("Ana Maria") == "AM"
    assert words.shout("go") == "GO!"


def test_tools_still_offers_them():
    assert tools.area is geometry.area
    assert tools.shout is words.shout
    assert "def " not in Path(tools.__file__).read_text()


def test_they_are_apart():
    assert not hasattr(geometry, "shout")
    assert not hasattr(words, "area")
