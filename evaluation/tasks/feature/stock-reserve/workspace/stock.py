class Stock:
    def __init__(self, counts):
        self.counts = dict(counts)

    def sell(self, name, count):
        if self.counts[name] < count:
            raise ValueError(f"only {self.counts[name]} {name}")
        self.counts[name] -= count
