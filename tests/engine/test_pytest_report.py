"""What is told of pytest's report: every line that says something new, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from interpreter.check_output import essence

TESTS = """\
from shop import total


def test_nothing():
    assert total([]) == 0


def test_two():
    prices = [1, 2]
    assert total(prices) == 3


def test_object():
    print("said aside")
    assert object() == 1
"""


def reported(folder: Path, tests: str = TESTS, source: str = "", *options: str) -> str:
    """The output of a real pytest over these tests of `shop.py`."""
    (folder / "test_shop.py").write_text(tests)
    if source:
        (folder / "shop.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False).stdout


SUM_OF_FIRST = "def total(prices):\n    return prices[0] if prices else 0\n"


@pytest.mark.parametrize("options", [("-q",), (), ("-v",), ("-q", "-rA"), ("-q", "-rN")])
def test_of_failures_what_was_expected_and_what_was_there(tmp_path: Path, options: tuple[str, ...]) -> None:
    told = essence(reported(tmp_path, TESTS, SUM_OF_FIRST, *options), 4000, shown=TESTS)
    assert told.splitlines() == [
        "test_two:",
        ">       assert total(prices) == 3",
        "E       assert 1 == 3",
        "E        +  where 1 = total([1, 2])",
        "test_shop.py:10: AssertionError",
        "test_object:",
        ">       assert object() == 1",
        "E       assert <object object> == 1",
        "E        +  where <object object> = object()",
        "2 failed, 1 passed",
    ]


def test_code_that_was_not_shown_stands_above_what_failed(tmp_path: Path) -> None:
    told = essence(reported(tmp_path, TESTS, SUM_OF_FIRST, "-q"), 4000)
    assert "        prices = [1, 2]\n>       assert total(prices) == 3" in told


def test_what_a_test_printed_is_told_of_the_first(tmp_path: Path) -> None:
    told = essence(reported(tmp_path, TESTS[TESTS.index("def test_object") :], "", "-q"), 4000)
    assert "Captured stdout call:\nsaid aside" in told


def test_a_file_of_tests_that_cannot_be_imported(tmp_path: Path) -> None:
    told = essence(reported(tmp_path), 4000, shown=TESTS)
    assert told.splitlines() == [
        "ERROR collecting test_shop.py:",
        "test_shop.py:1: in <module>",
        "E   ModuleNotFoundError: No module named 'shop'",
        "Interrupted: 1 error during collection:",
        "1 error",
    ]


def test_a_statement_over_several_lines_is_told_whole(tmp_path: Path) -> None:
    tests = "def test_it():\n    assert sum(\n        [1, 2]\n    ) == 4\n"
    told = essence(reported(tmp_path, tests, "", "-q"), 4000, shown=tests)
    assert ">       assert sum(\n            [1, 2]\n        ) == 4\nE " in told


def test_what_other_commands_said_is_kept(tmp_path: Path) -> None:
    output = reported(tmp_path, TESTS, SUM_OF_FIRST, "-q")
    told = essence(f"shop.py:1:1: F401 unused\n{output}mypy: 1 error\n", 4000, shown=TESTS)
    assert told.startswith("shop.py:1:1: F401 unused\ntest_two:\n")
    assert told.endswith("2 failed, 1 passed\nmypy: 1 error")


def test_many_failures_are_cut_behind_the_first(tmp_path: Path) -> None:
    tests = "".join(f"def test_{n}():\n    assert {n} == -1\n\n" for n in range(60))
    told = essence(reported(tmp_path, tests, "", "-q"), 600)
    assert told.startswith("test_0:\n")
    assert "assert 0 == -1" in told
    assert told.endswith("60 failed")
    assert len(told) < 750
