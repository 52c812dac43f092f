from ranking import rank
from table import table
from winners import winners

SCORES = {"Cy": 5, "Al": 9, "Bo": 9, "Di": 7}


def test_equal_scores_share_a_rank():
    assert rank(SCORES) == {"Al": 1, "Bo": 1, "Di": 3, "Cy": 4}


def test_table():
    assert table(SCORES) == ["1. Al 9", "1. Bo 9", "3. Di 7", "4. Cy 5"]


def test_winners():
    assert winners(SCORES) == ["Al", "Bo"]
    assert winners({}) == []
