import loans


def letter(name, cents, months):
    return f"Dear {name}, you pay {loans.calc(cents, months)} cents a month."
