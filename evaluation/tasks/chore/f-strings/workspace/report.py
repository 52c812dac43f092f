def price(name, euros):
    return "%s: %.2f" % (name, euros)
