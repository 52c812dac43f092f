def price(name, euros):
    return f"{name}: {euros:.2f}"
