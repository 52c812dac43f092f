def count_line(contacts):
    return f"{len(contacts.numbers)} contacts"
