"""What somebody wants to buy."""


class Cart:
    def __init__(self, items=None):
        self.items = [] if items is None else items

    def add(self, name, cents):
        self.items.append((name, cents))

    def total(self):
        return sum(cents for _, cents in self.items)
