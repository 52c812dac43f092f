from layout import line


def menu():
    return [line("Soup", True, 10), line("Tea", False, 10)]
