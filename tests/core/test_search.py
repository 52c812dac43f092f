"""What a search in a workspace finds, and what bounds it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.files import search as module
from super_agent.core.files.search import Found, Match, search, simple_pattern
from super_agent.core.files.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "work"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "price.py").write_text("def price_of(item):\n    return item.price\n")
    (root / "shop" / "cart.py").write_text("from shop.price import price_of\n\nTOTAL = price_of(1) + Price_Of\n")
    (root / "notes.md").write_text("price_of is slow\n")
    with Workspace(root) as opened:
        yield opened


def places(found: Found) -> list[tuple[str, int]]:
    return [(match.path, match.line) for match in found.matches]


def test_a_text_is_found_with_path_and_line(workspace: Workspace) -> None:
    found = search(workspace, "price_of(")
    assert found.matches == [
        Match("shop/cart.py", 3, "TOTAL = price_of(1) + Price_Of"), Match("shop/price.py", 1, "def price_of(item):")
    ]  # fmt: skip
    assert (found.total, found.files, found.how, found.unfinished) == (2, 3, "text", False)


def test_folder_file_and_glob_bound_where_it_looks(workspace: Workspace) -> None:
    assert places(search(workspace, "price_of", "shop")) == [
        ("shop/cart.py", 1),
        ("shop/cart.py", 3),
        ("shop/price.py", 1),
    ]
    assert places(search(workspace, "price_of", "shop/price.py")) == [("shop/price.py", 1)]
    assert places(search(workspace, "price_of", "", "*.md")) == [("notes.md", 1)]
    assert len(search(workspace, "price_of", "no/such/folder").matches) == 4


@pytest.mark.parametrize(
    ("text", "how", "count"),
    [
        ("PRICE_OF(", "any case", 2),
        (r"def .*item", "pattern", 1),
        (r"slow\|TOTAL", "pattern", 2),
        (r"\bprice_of\b$", "pattern", 1),
        (r"return (item|cart)\.", "pattern", 1),
        (r"nothing.*at all", "pattern", 0),
    ],
)
def test_another_case_and_simple_patterns_are_tried_where_the_text_is_not_there(
    workspace: Workspace, text: str, how: str, count: int
) -> None:
    found = search(workspace, text)
    assert (found.how, len(found.matches)) == (how, count)


def test_ignored_hidden_and_binary_files_are_left_out_and_no_link_is_followed(
    workspace: Workspace, tmp_path: Path
) -> None:
    root = workspace.root
    (tmp_path / "outside.py").write_text("price_of = 'secret'\n")
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    (root / "linked").symlink_to(tmp_path)
    (root / ".gitignore").write_text("build/\n")
    (root / "build").mkdir()
    (root / "build" / "out.py").write_text("price_of\n")
    (root / ".env").write_text("price_of=1\n")
    (root / "photo.jpg").write_bytes(b"\xff\xd8\0price_of\n")
    assert {match.path for match in search(workspace, "price_of").matches} == {
        "notes.md",
        "shop/cart.py",
        "shop/price.py",
    }
    assert places(search(workspace, "price_of", "build/out.py")) == [("build/out.py", 1)]


def test_odd_lines_and_names_are_made_harmless(workspace: Workspace) -> None:
    (workspace.root / "long.py").write_text("x" * 5000 + "needle\x1b[31m" + "y" * 5000 + "\n")
    (workspace.root / os.fsdecode(b"bad\xff.py")).write_bytes(b"needle \xff\n")
    found = search(workspace, "needle")
    texts = {match.path: match.text for match in found.matches}
    assert len(texts["long.py"]) < 210
    assert "needle" in texts["long.py"]
    assert "\x1b" not in texts["long.py"]
    assert texts[os.fsdecode(b"bad\xff.py")] == "needle \ufffd"


def test_many_matches_are_counted_and_a_limit_of_time_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / "many.txt").write_text("needle\n" * 1000)
    found = search(workspace, "needle")
    assert (len(found.matches), found.total) == (module.MAX_KEPT, 1000)
    monkeypatch.setattr(module, "MAX_PROCESSOR_S", 0.0)
    assert search(workspace, "needle").unfinished


@pytest.mark.parametrize("text", ["price_of", "a*a*a*a*b", "a|b|c|d|e|f|g|h", "[", "*", "(", "price{2}"])
def test_what_is_no_pattern_or_could_take_long_is_none(text: str) -> None:
    assert simple_pattern(text) is None


@pytest.mark.parametrize(("text", "taken"), [("(a+)+b", r"\(a+\)+b"), ("a|(b)", "a|(b)"), (r"\1\<a", r"1\ba")])
def test_brackets_beside_repeats_and_references_are_taken_as_they_stand(text: str, taken: str) -> None:
    pattern = simple_pattern(text)
    assert pattern is not None
    assert pattern.pattern == taken


def test_the_worst_pattern_that_is_taken_ends(workspace: Workspace) -> None:
    (workspace.root / "hostile.txt").write_text(("a" * 300 + "\n") * 5000)
    began = time.thread_time()
    assert search(workspace, "a+a+a+b").unfinished
    assert time.thread_time() - began < 8
