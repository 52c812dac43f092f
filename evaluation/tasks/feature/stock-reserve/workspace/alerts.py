def low(stock, limit):
    return sorted(name for name, count in stock.counts.items() if count < limit)
