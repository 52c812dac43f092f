class Price:
    def __init__(self, amount):
        self.amount = amount

    def __add__(self, other):
        return Price(self.amount + other.amount)
