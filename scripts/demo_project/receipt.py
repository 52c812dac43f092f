"""The receipt: a line for each thing, then the total."""

from basket import basket_total, line_total
from prices import as_text


def receipt(basket):
    """The lines of the receipt, from top to bottom."""
    lines = [f"{quantity} x {name}: {as_text(line_total(name, quantity))}" for name, quantity in basket.items()]
    return [*lines, f"total: {as_text(basket_total(basket))}"]
