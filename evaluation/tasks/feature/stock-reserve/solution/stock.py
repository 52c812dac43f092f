class Stock:
    def __init__(self, counts):
        self.counts = dict(counts)
        self.reserved = dict.fromkeys(self.counts, 0)

    def free(self, name):
        return self.counts[name] - self.reserved[name]

    def reserve(self, name, count):
        if self.free(name) < count:
            raise ValueError(f"only {self.free(name)} {name} are free")
        self.reserved[name] += count

    def sell(self, name, count):
        if self.counts[name] < count:
            raise ValueError(f"only {self.counts[name]} {name}")
        self.counts[name] -= count
