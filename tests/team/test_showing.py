"""What the coder reads when it asks to see something."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.files import search as module
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.types import SearchRequest, ShowRequest
from super_agent.team.showing import MAX_LINES, Showing

PRICE = (
    "RATE = 2\n\n\nclass Price:\n    def of(self, item):\n        return item.price * RATE\n\n\n"
    "def price_of(item):\n    return 1\n"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "work"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "price.py").write_text(PRICE)
    (root / "shop" / "cart.py").write_text("from shop.price import price_of\n\nprice_of(1)\n")
    (root / "README.md").write_text("The function price_of(item) is here.\n")
    with Workspace(root) as opened:
        yield opened


def answer(workspace: Workspace, request: ShowRequest | SearchRequest, max_chars: int = 3000) -> str:
    (text,) = Showing(workspace, max_chars).answers((request,))
    return text


def test_a_search_answers_with_places_the_definition_first(workspace: Workspace) -> None:
    assert answer(workspace, SearchRequest("price_of", "shop")) == (
        "search: price_of in shop found 3 lines:\n````\nshop/price.py:9: def price_of(item):\n"
        "shop/cart.py:1: from shop.price import price_of\nshop/cart.py:3: price_of(1)\n````"
    )
    nothing = "search: no such found nothing in 3 files; those that are ignored are left out."
    assert answer(workspace, SearchRequest("no such")) == nothing
    assert answer(workspace, SearchRequest("cart.py")).endswith("Files of that name: shop/cart.py.")


def test_an_answer_is_bounded_and_says_what_it_leaves_out(workspace: Workspace) -> None:
    (workspace.root / "many.txt").write_text("needle in a stack\n" * 100)
    text = answer(workspace, SearchRequest("needle"))
    assert text.count("many.txt:") == MAX_LINES
    assert text.endswith("… 70 lines more; a longer text, or `in` and a folder behind it, finds fewer.")
    assert len(answer(workspace, SearchRequest("needle"), 200)) < 400


@pytest.mark.parametrize(
    "asked", ["price_of", "def price_of", "def price_of(item):", "shop.price.price_of()", "shop/price.py:price_of",
              "shop/price.py::price_of", "function price_of"],
)  # fmt: skip
def test_a_name_that_one_file_defines_is_shown_where_it_stands(workspace: Workspace, asked: str) -> None:
    expected = (
        "price_of is defined in shop/price.py, lines 9 to 10 of 10:\n````\ndef price_of(item):\n    return 1\n````"
    )
    assert answer(workspace, ShowRequest(asked)) == expected


def test_a_name_of_several_places_is_answered_with_them(workspace: Workspace) -> None:
    (workspace.root / "other.js").write_text("export async function price_of(item) {\n}\n")
    assert answer(workspace, ShowRequest("price_of")) == (
        "price_of is defined in several places:\n````\nother.js:1: export async function price_of(item) {\n"
        "shop/price.py:9: def price_of(item):\n````"
    )


def test_a_folder_is_listed_and_a_file_is_found_by_its_name(workspace: Workspace) -> None:
    assert answer(workspace, ShowRequest("shop")) == "files, * in shop: shop/cart.py, shop/price.py."
    assert answer(workspace, ShowRequest("shop/")) == "files, * in shop: shop/cart.py, shop/price.py."
    assert answer(workspace, SearchRequest("", "", "*.md")) == "files, *.md: README.md."
    assert answer(workspace, ShowRequest("src/cart.py", 3, 3)) == (
        "src/cart.py does not exist; shop/cart.py, lines 3 to 3 of 3:\n````\nprice_of(1)\n````"
    )


def test_all_searches_of_a_reply_share_one_limit_of_time(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PROCESSOR_S", 0.2)
    (workspace.root / "hostile.txt").write_text(("a" * 300 + "\n") * 5000)
    began = time.thread_time()
    answers = Showing(workspace, 3000).answers((SearchRequest("a+a+a+b"),) * 50 + (ShowRequest("none"),) * 50)
    assert answers[1].endswith("left out. It was ended by its limit, so there may be more.")
    assert answers[-1] == "none does not exist."
    assert time.thread_time() - began < 4


def test_what_is_nowhere_is_said(workspace: Workspace) -> None:
    assert answer(workspace, ShowRequest("none.py")) == "none.py does not exist."
    assert answer(workspace, ShowRequest("no_such_name")) == "no_such_name does not exist."
    assert answer(workspace, ShowRequest("a." * 50_000 + "!")).startswith("cannot show a.a.")
    assert answer(workspace, ShowRequest("../outside.py")).startswith("cannot show ../outside.py:")
