from contacts import Contacts
from describe import count_line, describe


def made():
    contacts = Contacts()
    contacts.add("Maria", "123")
    contacts.add("Ana", "456")
    contacts.add("Bob", "789")
    return contacts


def test_search_is_sorted_and_ignores_case():
    assert made().search("A") == ["Ana", "Maria"]


def test_nothing_found():
    assert made().search("x") == []


def test_describe():
    assert describe(made(), "bo") == ["Bob: 789"]


def test_count():
    assert count_line(made()) == "3 contacts"
