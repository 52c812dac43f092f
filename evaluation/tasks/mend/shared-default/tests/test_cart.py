from cart import Cart
from shop import checkout, new_customer


def test_a_new_cart_is_empty():
    first = new_customer()
    first.add("pen", 100)
    assert new_customer().items == []


def test_given_items_are_taken_over():
    assert Cart([("ink", 250)]).total() == 250


def test_discount():
    cart = Cart()
    cart.add("pen", 199)
    assert checkout(cart, 10) == 179
