"""What a small coder is asked to write: the function that is missing or fails, and what stands around it."""

import pytest

from super_agent.core.edits.gaps import Gap, gaps, surround

SHOP = '''"""A shop."""


class Shop:
    """Sells."""

    @property
    def open(self):
        return True

    def price(
        self, name
    ):
        """Cents."""
        return 1

RATE = 2


def total(names):
    return sum(names)
'''


@pytest.mark.parametrize(
    ("failure", "found"),
    [
        ("AttributeError: module 'shop' has no attribute 'count'\n count([])", [Gap("src/shop.py", "count")]),
        ("ImportError: cannot import name 'count' from 'shop' (/x/shop.py)\n count(1)", [Gap("src/shop.py", "count")]),
        ("AttributeError: 'Shop' object has no attribute 'close'\n shop.close()", [Gap("src/shop.py", "Shop.close")]),
        ("assert total([1]) == 2, price", [Gap("src/shop.py", "Shop.price"), Gap("src/shop.py", "total")]),
        ("AttributeError: module 'shop' has no attribute 'count'", []),
        ("AttributeError: module 'shelf' has no attribute 'count'\n count()", []),
        ("AttributeError: module 'shop' has no attribute 'COUNT'\n COUNT()", []),
        ("ImportError: cannot import name 'Shelf' from 'shop' (/x/shop.py)", [Gap("src/shop.py", "Shelf")]),
        ("ModuleNotFoundError: No module named 'till'", [Gap("src/till.py", "")]),
        ("ModuleNotFoundError: No module named 'shop'", []),
        ("ModuleNotFoundError: No module named 'numpy'", []),
    ],
)
def test_what_is_missing_or_named_is_found(failure: str, found: list[Gap]) -> None:
    assert gaps({"src/shop.py": SHOP, "b.py": "x = (\n"}, "Mend src/shop.py, add src/till.py.", failure) == found


def test_before_and_behind_a_function_is_all_of_its_file_but_the_body() -> None:
    around = surround(SHOP, "Shop.price")
    assert around is not None
    assert around.before + "        return 1\n" + around.behind == SHOP
    assert {"\n    def ", "\ndef ", "\nclass ", "\n```"} <= set(around.stop)
    assert "\n    def " not in getattr(surround(SHOP, "total"), "stop", ["\n    def "])


@pytest.mark.parametrize(
    ("task", "begun"),
    [
        ("Add close.", "    def close"),
        ("Add Shop.close(), which ends it.", "    def close(self):\n"),
        ("Add close(self, hour=20).", "    def close(self, hour=20):\n"),
        ("So that shop.close([1]) works.", "    def close"),
    ],
)
def test_a_missing_method_is_written_at_the_end_of_its_class_with_the_parameters_of_the_task(
    task: str, begun: str
) -> None:
    around = surround(SHOP, "Shop.close", task)
    assert around is not None
    assert around.before.endswith(f"        return 1\n\n{begun}")
    assert around.behind == SHOP[SHOP.index("\nRATE") :].rstrip()


@pytest.mark.parametrize(
    ("task", "head"),
    [
        ('Shop.price(name, where="here") tells it.', 'def price(self, name, where="here"):'),
        ("price(self, name, *, where=None)", "def price(self, name, *, where=None):"),
        ("price(name) is wrong, as price([1]) shows.", "def price(\n        self, name\n    ):"),
    ],
)
def test_a_function_gets_the_parameters_of_the_task_where_they_are_others(task: str, head: str) -> None:
    around = surround(SHOP, "Shop.price", task)
    assert around is not None
    assert around.before == SHOP[: SHOP.index("def price")] + head + '\n        """Cents."""\n'
    assert around.behind == SHOP[SHOP.index("\nRATE") :]


def test_a_missing_function_is_written_at_the_end_of_the_file() -> None:
    around = surround(SHOP, "count", "Add count(3), and count([names]), here.")
    assert around is not None
    assert (around.before, around.behind) == (f"{SHOP}\n\ndef count", "")
    around = surround(SHOP, "count", "Add count(names, twice=False) here.")
    assert around is not None
    assert around.before == f"{SHOP}\n\ndef count(names, twice=False):\n"


@pytest.mark.parametrize(
    ("others", "begun"),
    [
        ("", "class Shelf:\n    def __init__(self, size, full=False):\n"),
        ("class Rack(Thing):\n    pass\n", "class Shelf"),
        ("@dataclass\nclass Rack:\n    pass\n", None),
    ],
)
def test_a_missing_class_begins_as_the_task_calls_it_where_the_others_are_as_plain(
    others: str, begun: str | None
) -> None:
    around = surround(SHOP + others, "Shelf", "Add a class Shelf(size, full=False).")
    assert (None if around is None else around.before) == (begun and f"{SHOP}{others}\n\n{begun}")


@pytest.mark.parametrize("text", ["x = (\n", SHOP.replace("\n", "\r\n"), SHOP + "F = '```'\n", "# x\n" * 2000 + SHOP])
def test_a_file_in_which_the_place_cannot_be_told_or_is_far_down_has_no_gap(text: str) -> None:
    assert surround(text, "total") is None


def test_what_makes_an_object_may_be_wrong_too_and_its_parameters_with_it() -> None:
    add = "\n    def add(self, item):\n        self.items.append(item)\n"
    cart = f"class Cart:\n    def __init__(self, items=[]):\n        self.items = items\n{add}"
    found = gaps({"cart.py": cart}, "Mend cart.py.", "cart.add(1)")
    assert found == [Gap("cart.py", "Cart.add"), Gap("cart.py", "Cart.__init__")]
    around = surround(cart, "Cart.__init__")
    assert around is not None
    assert around.before == "class Cart:\n    def __init__"
    assert around.behind == add


def test_tabs_stay_tabs_before_what_makes_an_object() -> None:
    around = surround("class Cart:\n\tdef __init__(self, items=[]):\n\t\tself.items = items\n", "Cart.__init__")
    assert around is not None
    assert around.before == "class Cart:\n\tdef __init__"
