from loans import monthly_rate


def offer(cents):
    return {months: monthly_rate(cents, months) for months in (6, 12)}
