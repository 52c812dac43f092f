import pytest

from alerts import low
from stock import Stock


def test_reserved_pieces_are_not_free():
    stock = Stock({"nut": 10})
    stock.reserve("nut", 4)
    assert stock.free("nut") == 6


def test_reservations_add_up():
    stock = Stock({"nut": 10})
    stock.reserve("nut", 4)
    stock.reserve("nut", 5)
    assert stock.free("nut") == 1
    with pytest.raises(ValueError):
        stock.reserve("nut", 2)


def test_low_counts_free_pieces():
    stock = Stock({"nut": 10, "bolt": 20})
    stock.reserve("nut", 7)
    assert low(stock, 5) == ["nut"]


def test_selling():
    stock = Stock({"nut": 3})
    stock.sell("nut", 2)
    assert stock.free("nut") == 1
