from pathlib import Path

from letters import letter
from loans import monthly_rate, total
from offers import offer


def test_it_works_under_the_new_name():
    assert monthly_rate(100, 3) == 34
    assert total(100, 3) == 102
    assert offer(1200) == {6: 200, 12: 100}
    assert letter("Ana", 100, 3) == "Dear Ana, you pay 34 cents a month."


def test_the_old_name_is_gone():
    for name in ("loans.py", "offers.py", "letters.py"):
        assert "calc" not in Path(__file__).with_name(name).read_text()
