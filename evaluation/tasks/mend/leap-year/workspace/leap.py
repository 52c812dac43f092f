"""Years that have a 29 February."""


def is_leap(year):
    """Each fourth year, but of those that 100 divides only those that 400 divides."""
    return year % 4 == 0 and year % 100 != 0


def days_in(year):
    return 366 if is_leap(year) else 365
