import pytest

from bank import Account, NotEnough, transfer


def test_a_transfer_moves_money():
    source, target = Account(500), Account(10)
    transfer(source, target, 200)
    assert (source.cents, target.cents) == (300, 210)


def test_a_transfer_that_fails_moves_nothing():
    source, target = Account(100), Account(10)
    with pytest.raises(NotEnough):
        transfer(source, target, 200)
    assert (source.cents, target.cents) == (100, 10)


def test_withdraw():
    account = Account(50)
    account.withdraw(50)
    assert account.cents == 0
