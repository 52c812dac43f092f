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


def test_what_is_no_report_of_pytest_keeps_head_and_tail() -> None:
    shown = essence("\n".join(f"line {n}" for n in range(100)) + "\n", 100, "run it again")
    assert shown.startswith("line 0\n")
    assert shown.endswith("line 99")
    assert "(run it again)" in shown


def test_what_fits_is_not_cut() -> None:
    text = "main.c:3:1: error: expected ';'\nmake: *** [all] Error 2"
    assert essence(f"{text}\n", 1000) == text
