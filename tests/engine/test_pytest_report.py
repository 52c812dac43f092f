"""What is told of pytest's report: every line that says something new, once."""

import os
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


@pytest.fixture(params=["", "true"], ids=["at-home", "in-ci"], autouse=True)
def _in_ci(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest cuts fewer of its lines where CI is set, whatever its value."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    if request.param:
        monkeypatch.setenv("CI", request.param)


def reported(folder: Path, tests: str = TESTS, source: str = "", *options: str) -> str:
    """The output of a real pytest over these tests of `shop.py`."""
    (folder / "test_shop.py").write_text(tests)
    if source:
        (folder / "shop.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    plain = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # starts in half of the time
    run = subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, timeout=60, check=False)
    return run.stdout


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
        "    from shop import total",
        "E   ModuleNotFoundError: No module named 'shop'",
        "Interrupted: 1 error during collection",
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


WIDE = "a long sentence that goes on and on until it is wider than what pytest draws its rules over"


def failing(folder: Path, *tests: str, options: tuple[str, ...] = ("-q",), limit: int = 4000) -> str:
    """What is told of these tests, the first of which is there to fail first."""
    text = "import pytest\n\n\ndef test_first():\n    assert 0\n\n\n" + "\n\n".join(tests)
    return essence(reported(folder, text, "", *options), limit)


def test_what_looks_like_a_rule_of_pytest_is_none(tmp_path: Path) -> None:
    printed = "def test_a():\n    print('=== Results ===\\n____ x ____')\n    assert '-- a --' == '-- b at 0x1f --'\n"
    told = failing(tmp_path, printed, "def test_b():\n    assert 1 == 2\n")
    assert "E       AssertionError: assert '-- a --' == '-- b at 0x1f --'" in told
    assert "test_b:\n>       assert 1 == 2\nE       assert 1 == 2\n3 failed" in told


def test_a_rule_of_another_command_ends_nothing(tmp_path: Path) -> None:
    output = reported(tmp_path, TESTS, SUM_OF_FIRST, "-q")
    told = essence(f"=== ruff ===\nshop.py:1: bad\n{output}=== mypy ===\nshop.py:2: error\n", 4000)
    assert told.startswith("=== ruff ===\nshop.py:1: bad\ntest_two:\n")
    assert told.endswith("2 failed, 1 passed\n=== mypy ===\nshop.py:2: error")


def test_a_name_that_leaves_a_rule_no_room_begins_a_test(tmp_path: Path) -> None:
    told = failing(tmp_path, f"@pytest.mark.parametrize('t', ['{WIDE}'])\ndef test_len(t):\n    assert len(t) == 3\n")
    assert f"test_len[{WIDE}]:\n>       assert len(t) == 3\n" in told


def test_of_a_chain_of_errors_the_last_is_told(tmp_path: Path) -> None:
    chain = "def test_a():\n    try:\n        1 / 0\n    except ArithmeticError:\n        raise OSError('down')\n"
    told = failing(tmp_path, chain)
    assert "test_a:\n>           raise OSError('down')\nE           OSError: down\n2 failed" in told


def test_of_many_lines_that_say_what_was_wrong_the_last_ones_are_kept(tmp_path: Path) -> None:
    message = "def test_a():\n    assert 3 == 4, 'one\\ntwo\\nthree\\nfour\\nfive'\n"
    told = failing(tmp_path, message)
    assert "E       AssertionError: one\nE         two\nE         five\nE       assert 3 == 4\n" in told


def test_a_further_failure_without_an_assertion_has_its_last_lines(tmp_path: Path) -> None:
    told = failing(tmp_path, "def test_a():\n    pytest.fail('because', pytrace=False)\n")
    assert "test_a:\nbecause\n2 failed" in told


def test_failures_of_one_line_are_told_by_the_summary(tmp_path: Path) -> None:
    told = failing(tmp_path, "def test_a(nothing):\n    pass\n", options=("-q", "--tb=line"))
    assert "ERROR at setup of test_a:\n" in told
    assert "FAILED test_shop.py::test_first - assert 0" in told


def test_where_the_output_was_cut_nothing_is_told_of_the_wrong_test(tmp_path: Path) -> None:
    tests = "".join(f"def test_{n}():\n    assert {n} == -1\n\n" for n in range(20))
    output = reported(tmp_path, tests, "", "-q")
    begin, end = output.index("    def test_3()"), output.index(">       assert 5 == -1")
    told = essence(f"{output[:begin]}\n… {end - begin} bytes left out …\n{output[end:]}", 4000)
    assert "test_3:\n… " in told
    assert "bytes left out …:\n>       assert 5 == -1\nE " in told
    assert "FAILED test_shop.py::test_4 - assert 4 == -1" in told


def test_what_a_test_printed_gives_way_to_what_failed(tmp_path: Path) -> None:
    tests = "def test_a():\n    print('noise ' * 500)\n    assert 1 == 2\n"
    told = essence(reported(tmp_path, tests, "", "-q"), 600, "show the rest")
    assert "E       assert 1 == 2" in told
    assert "Captured stdout call:\nnoise noise" in told
    assert len(told) < 700


def test_what_a_further_test_printed_does_not_hide_why_it_failed(tmp_path: Path) -> None:
    told = failing(
        tmp_path,
        "def test_a():\n    print('a\\n' * 9)\n    pytest.fail('because', pytrace=False)\n",
        "def test_b():\n    print('> look')\n    assert 1 == 2\n",
    )
    assert "test_a:\nbecause\ntest_b:\n>       assert 1 == 2\nE       assert 1 == 2\n" in told


def test_in_the_short_style_a_further_failure_has_its_place_and_statement(tmp_path: Path) -> None:
    told = failing(tmp_path, "def test_a():\n    assert 1 == 2\n", options=("-q", "--tb=short"))
    assert "test_a:\ntest_shop.py:9: in test_a\n    assert 1 == 2\nE   assert 1 == 2\n" in told
