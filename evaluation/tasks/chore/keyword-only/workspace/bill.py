from layout import line


def total(cents):
    return line(f"total {cents}", True)
