"""What a check's output tells: how many tests passed and failed, and the part that says what is wrong."""

import re
from dataclasses import dataclass

from interpreter.pytest_report import read_report
from super_agent.core.text import clipped

# pytest, cargo, jest and others: "3 failed, 2 passed in 0.1s", "1 error", "test result: FAILED. 3 passed; 1 failed".
_COUNT = re.compile(r"(\d+) (passed|failed|failures?|errors?)\b")
_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST = re.compile(r"^FAILED \(([^)]*)\)", re.MULTILINE)
_UNITTEST_COUNT = re.compile(r"(failures|errors)=(\d+)")


@dataclass(frozen=True, slots=True)
class Counts:
    """Tests that passed, and that failed or could not be run."""

    passed: int
    failed: int


def counts(output: str) -> Counts | None:
    """From the last line that counts tests; None where the output tells nothing of the kind."""
    if (ran := _last(_RAN, output)) is not None:
        tally = _last(_UNITTEST, output[ran.end() :])
        failed = sum(int(number) for _, number in _UNITTEST_COUNT.findall(tally[1])) if tally else 0
        return Counts(max(0, int(ran[1]) - failed), failed)
    for line in reversed(output.splitlines()):
        if found := _COUNT.findall(line):
            passed = sum(int(number) for number, what in found if what == "passed")
            return Counts(passed, sum(int(number) for number, what in found if what != "passed"))
    return None


def essence(output: str, limit_chars: int, hint: str = "", shown: str = "") -> str:
    """What the coder needs of a failure: of pytest the tests that failed, each line once, of others head and tail.

    Lines of code that stand in the text that the coder was `shown` are not told again.
    """
    report = read_report(output)
    if report is None:
        return clipped(output.strip("\n").rstrip(), limit_chars, hint)
    return report.told(limit_chars, hint, set(shown.splitlines()))


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = [*pattern.finditer(text)]
    return found[-1] if found else None
