import loans


def letter(name, cents, months):
    return f"Dear {name}, you pay {loans.monthly_rate(cents, months)} cents a month."
