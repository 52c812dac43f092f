class NotEnough(Exception):
    """There is less in the account than was asked for."""


class Account:
    def __init__(self, cents=0):
        self.cents = cents

    def deposit(self, cents):
        if cents <= 0:
            raise ValueError("only positive amounts")
        self.cents += cents

    def withdraw(self, cents):
        if cents <= 0:
            raise ValueError("only positive amounts")
        if cents > self.cents:
            raise NotEnough(f"{self.cents} is less than {cents}")
        self.cents -= cents


def transfer(source, target, cents):
    """All or nothing."""
    source.withdraw(cents)
    target.deposit(cents)
