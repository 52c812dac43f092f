import pytest

from price import Price
from show import show


def test_euro_by_default():
    assert show(Price(3.5)) == "3.50 EUR"


def test_another_currency():
    assert show(Price(2, "USD")) == "2.00 USD"


def test_sums_keep_the_currency():
    assert show(Price(1, "USD") + Price(2, "USD")) == "3.00 USD"


def test_different_currencies_are_an_error():
    with pytest.raises(ValueError):
        Price(1) + Price(1, "USD")
