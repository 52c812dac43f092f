"""What a check's output tells of its tests."""

import pytest

from interpreter.check_output import Counts, counts, essence


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("FF..\n2 failed, 2 passed in 0.03s\n", Counts(2, 2)),
        ("===== 3 passed in 0.01s =====", Counts(3, 0)),
        ("!!! Interrupted: 1 error during collection !!!\n1 error in 0.05s\n", Counts(0, 1)),
        ("1 failed, 3 passed, 1 error in 0.05s\n", Counts(3, 2)),
        ("----\nRan 5 tests in 0.001s\n\nFAILED (failures=1, errors=1)\n", Counts(3, 2)),
        ("----\nRan 5 tests in 0.001s\n\nOK\n", Counts(5, 0)),
        ("test result: FAILED. 3 passed; 1 failed; 0 ignored\n", Counts(3, 1)),
        ("Tests:       1 failed, 4 passed, 5 total\n", Counts(4, 1)),
        ("no tests ran in 0.00s\n", None),
        ("make: *** [all] Error 2\n", None),
        ("", None),
    ],
)
def test_how_many_passed_and_failed(output: str, expected: Counts | None) -> None:
    assert counts(output) == expected


def test_of_many_failures_the_first_and_the_summary_are_kept() -> None:
    tests = "".join(
        f"____ test_{n} ____\n\n    def test_{n}():\n>       assert {n} == 0\nE       {n}\n\n" for n in range(50)
    )
    summary = (
        "==== short test summary info ====\n" + "".join(f"FAILED t.py::test_{n}\n" for n in range(50)) + "50 failed"
    )
    shown = essence(f"FFFF\n==== FAILURES ====\n{tests}{summary} in 0.1s\n", 600)
    assert "assert 0 == 0" in shown
    assert "assert 1 == 0" not in shown
    assert shown.endswith("50 failed in 0.1s")
    assert len(shown) < 700


def test_what_fits_is_not_cut() -> None:
    text = "==== FAILURES ====\n____ test_a ____\nE  1\n____ test_b ____\nE  2\n1 failed"
    assert essence(f"{text}\n", 1000) == text
