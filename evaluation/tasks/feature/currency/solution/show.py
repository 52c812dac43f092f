def show(price):
    return f"{price.amount:.2f} {price.currency}"
