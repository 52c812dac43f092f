def count_line(contacts):
    return f"{len(contacts.numbers)} contacts"


def describe(contacts, part):
    return [f"{name}: {contacts.numbers[name]}" for name in contacts.search(part)]
