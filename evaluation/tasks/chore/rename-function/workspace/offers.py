from loans import calc


def offer(cents):
    return {months: calc(cents, months) for months in (6, 12)}
