from layout import line


def menu():
    return [line("Soup", bold=True, width=10), line("Tea", bold=False, width=10)]
