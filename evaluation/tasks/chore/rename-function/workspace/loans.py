def calc(cents, months):
    """Cents a month, rounded up."""
    return -(-cents // months)


def total(cents, months):
    return calc(cents, months) * months
