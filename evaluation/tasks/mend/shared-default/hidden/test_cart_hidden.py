from cart import Cart


def test_two_carts():
    one, two = Cart(), Cart()
    one.add("a", 1)
    two.add("b", 2)
    assert (one.total(), two.total()) == (1, 2)
