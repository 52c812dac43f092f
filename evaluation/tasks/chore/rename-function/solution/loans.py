def monthly_rate(cents, months):
    """Cents a month, rounded up."""
    return -(-cents // months)


def total(cents, months):
    return monthly_rate(cents, months) * months
