from order import total


def pay(prices, paid):
    return paid - total(prices)
