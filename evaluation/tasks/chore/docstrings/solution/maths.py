def double(number):
    """Return twice the number."""
    return 2 * number


def half(number):
    """Return half of the number."""
    return number / 2
