"""A basket says how many pieces there are of each thing: {"pencil": 2, "eraser": 1}."""

from prices import price_of


def line_total(name, quantity):
    """Cents for `quantity` pieces of one thing."""
    return price_of(name)


def basket_total(basket):
    """Cents for everything in the basket."""
    return sum(line_total(name, quantity) for name, quantity in basket.items())
