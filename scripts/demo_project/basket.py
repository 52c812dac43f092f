"""A basket says how many pieces there are of each thing: {"pencil": 2, "eraser": 1}."""

from prices import price_of

BULK = 10


def line_total(name, quantity):
    """Cents for `quantity` pieces of one thing. BULK pieces or more cost a tenth less."""
    return price_of(name) * quantity


def basket_total(basket):
    """Cents for everything in the basket."""
    return sum(line_total(name, quantity) for name, quantity in basket.items())
