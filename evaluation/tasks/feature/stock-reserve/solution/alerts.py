def low(stock, limit):
    return sorted(name for name in stock.counts if stock.free(name) < limit)
