"""What the opening message says of a larger workspace: which files matter to the task, and what they define."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.files.workspace import Workspace
from super_agent.core.model.context_allocation import ContextAllocation
from super_agent.core.replies.outline import outline
from super_agent.team.listing import FEW_FILES, describe
from super_agent.team.repository_map import repository_map

CART = '''\
"""Carts."""
from shop.money import round_half_up


class Cart(dict):
    """Items."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def line_total(self, item: str, *, count: int = 1) -> int:
        """One line."""
        return round_half_up(count)


async def send(cart: Cart) -> None: ...
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "work"
    root.mkdir()
    with Workspace(root) as opened:
        put(opened, "shop/cart.py", CART)
        put(opened, "shop/money.py", "def round_half_up(value):\n    return value\n")
        put(opened, "shop/view.js", "export class CartView {\n  draw() {\n  }\n}\n")
        put(opened, "tests/test_cart.py", "def test_line_total():\n    assert Cart('a').line_total('b') == 1\n")
        for number in range(FEW_FILES):
            put(opened, f"other/part{number}.py", f"def work_{number}():\n    pass\n")
        yield opened


def put(workspace: Workspace, path: str, text: str) -> None:
    workspace.write_bytes(path, text.encode())


def files_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith((" ", "`", "What"))]


def test_the_file_that_defines_what_the_task_names_comes_first_with_its_signatures(workspace: Workspace) -> None:
    text = repository_map(workspace, "Cart.line_total must round half up", "", 2000)
    assert text.startswith(
        "What its files define, the most relevant first:\n````\nshop/cart.py\n  class Cart(dict)\n"
        "    def __init__(self, owner: str) -> None\n    def line_total(self, item: str, *, count: int=1) -> int\n"
        "  async def send(cart: Cart) -> None\nshop/money.py\n  def round_half_up(value)\n"
    )
    assert text.endswith("\n````")


def test_a_name_of_the_task_is_found_behind_the_beginning_of_a_long_file_too(workspace: Workspace) -> None:
    put(workspace, "shop/late.py", "X = 1\n" * 5000 + "def settle_account():\n    pass\n")
    text = repository_map(workspace, "settle_account must be idempotent", "", 500)
    assert "shop/late.py\n  def settle_account()\n" in text
    assert files_in(text)[0] == "shop/late.py"


def test_words_of_the_task_and_names_of_the_check_rank_files_too(workspace: Workspace) -> None:
    assert files_in(repository_map(workspace, "The view of a cart is drawn twice", "", 500))[0] == "shop/view.js"
    output = "E   NameError: round_half_up\nFAILED tests/test_other.py"
    assert files_in(repository_map(workspace, "Mend it", output, 500))[0] == "shop/money.py"


def test_a_file_whose_names_others_use_comes_before_one_that_nobody_uses(workspace: Workspace) -> None:
    for number in range(3):
        put(
            workspace,
            f"other/part{number}.py",
            f"from z import shared_thing\n\ndef work_{number}():\n    shared_thing()\n",
        )
    put(workspace, "z.py", "def shared_thing():\n    pass\n")
    put(workspace, "a.py", "def lonely_thing():\n    pass\n")
    assert files_in(repository_map(workspace, "Mend it", "", 3000))[0] == "z.py"


def test_what_a_file_that_is_shown_uses_comes_first_and_the_file_itself_is_left_out(workspace: Workspace) -> None:
    found = files_in(repository_map(workspace, "Mend it", "", 3000, ["shop/cart.py"]))
    assert found[0] == "shop/money.py"
    assert "shop/cart.py" not in found


def test_it_keeps_within_its_room(workspace: Workspace) -> None:
    put(workspace, "shop/long.py", "".join(f"def cart_{n}(value: str = {'x' * 300!r}): ...\n" for n in range(50)))
    for room in (150, 300, 600, 1500):
        assert len(repository_map(workspace, "the cart's line_total", "", room)) <= room + 20
    text = repository_map(workspace, "long cart", "", 4000)
    assert "  … 4" in text
    assert max(map(len, text.splitlines())) < 120
    assert repository_map(workspace, "the cart", "", 0) == ""
    assert [ContextAllocation(n).repository_map for n in (2048, 8192, 32768, 131072)] == [384, 1536, 4500, 4500]


@pytest.mark.parametrize(
    "word", ["a" * 100_000, "A" * 100_000, "aA" * 50_000, "a_" * 50_000, "`" * 100_000, "a." * 50_000]
)
def test_data_in_task_or_output_takes_no_time(workspace: Workspace, word: str) -> None:
    began = time.thread_time()
    assert files_in(repository_map(workspace, f"line_total {word}", word, 500))[0] == "shop/cart.py"
    assert time.thread_time() - began < 2


def test_ignored_files_and_what_links_lead_to_are_not_read_and_names_are_made_harmless(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "outside.py").write_text("def secret_cart(): ...\n")
    (workspace.root / "link.py").symlink_to(tmp_path / "outside.py")
    put(workspace, ".gitignore", "build/\n")
    put(workspace, "build/cart.py", "def built_cart(): ...\n")
    (workspace.root / os.fsdecode(b"cart\n\x1b[31m\xff.py")).write_bytes(b"def odd_cart(a='\x1b[31m'): ...\n")
    text = repository_map(workspace, "the cart", "", 4000)
    assert "secret_cart" not in text
    assert "built_cart" not in text
    assert "odd_cart" in text
    assert "\x1b" not in text
    assert text.encode()


def test_the_opening_message_has_it_in_a_larger_workspace_only(workspace: Workspace) -> None:
    text = describe(workspace, "Mend shop/money.py", 3000, max_map_chars=1500)
    parts = ("The workspace holds:\n", "\n\nWhat its files define,", "\n\nshop/money.py:\n````\ndef round_half_up")
    assert sorted(text.index(part) for part in parts) == [text.index(part) for part in parts]
    assert text.count("def round_half_up") == 1
    for path in workspace.files():
        if path.startswith("other/") or path.endswith(".js"):
            (workspace.root / path).unlink()
    assert describe(workspace, "Mend it", 3000, max_map_chars=1500) == describe(workspace, "Mend it", 3000)


@pytest.mark.parametrize(
    ("language", "text", "lines"),
    [
        (
            "go",
            "func (c *Cart) Total() int {\n}\ntype Item struct {\n",
            ["func (c *Cart) Total() int", "type Item struct"],
        ),
        (
            "rust",
            "pub struct A;\nimpl A {\n    pub fn new(x: u8) -> A {\n",
            ["pub struct A;", "pub fn new(x: u8) -> A"],
        ),
        (
            "java",
            "public class A {\n  private static int of(int x) {\n",
            ["public class A", "private static int of(int x)"],
        ),
        ("javascript", "const N = 1\nexport const add = (a, b) => {\n", ["export const add = (a, b) =>"]),
        ("c", "int add(int a, int b)\n{\n    return add(1, 2);\n}\nint later(void);\n", ["int add(int a, int b)"]),
        ("python", "def broken(x) :\n    pass pass\n", ["def broken(x)"]),
        ("ruby", "class A\n  def total(x)\n  end\nend\n", ["class A", "def total(x)"]),
    ],
)
def test_other_languages_are_outlined_by_their_words(language: str, text: str, lines: list[str]) -> None:
    assert [definition.line for definition in outline(language, text)] == lines
