import basket
import order


def test_what_is_used_stays():
    assert order.total([1, 2]) == 3
    assert basket.pay([1, 2], 5) == 2


def test_what_is_not_used_is_gone():
    assert not hasattr(order, "old_total")
    assert not hasattr(order, "math")
    assert not hasattr(basket, "debug")
