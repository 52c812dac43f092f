"""What a check's output tells: how many tests passed and failed, and the part that says what is wrong."""

import re
from dataclasses import dataclass

from super_agent.core.text import clipped

# pytest, cargo, jest and others: "3 failed, 2 passed in 0.1s", "1 error", "test result: FAILED. 3 passed; 1 failed".
_COUNT = re.compile(r"(\d+) (passed|failed|failures?|errors?)\b")
_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST = re.compile(r"^FAILED \(([^)]*)\)", re.MULTILINE)
_UNITTEST_COUNT = re.compile(r"(failures|errors)=(\d+)")
_SECTION = re.compile(r"^(?:_{3,} .* _{3,}|={3,} .* ={3,}|={60,})$", re.MULTILINE)
_FAILURES = re.compile(r"^={3,} (?:FAILURES|ERRORS) ={3,}$", re.MULTILINE)
_SUMMARY = re.compile(r"^={3,} short test summary info ={3,}$", re.MULTILINE)


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


def essence(output: str, limit_chars: int, hint: str = "") -> str:
    """What the coder needs of a failure: of pytest the first failing test and the summary, of others head and tail.

    A whole output that fits is not cut.
    """
    text = output.strip("\n").rstrip()
    begun = _FAILURES.search(text)
    if len(text) <= limit_chars or begun is None:
        return clipped(text, limit_chars, hint)
    summary = _last(_SUMMARY, text)
    body = text[begun.end() : summary.start() if summary else len(text)].strip("\n")
    heads = [found.start() for found in _SECTION.finditer(body)]
    first = body[: heads[1]].rstrip() if len(heads) > 1 else body
    rest = text[summary.start() :] if summary else text.splitlines()[-1]
    parts = clipped(first, limit_chars * 2 // 3, hint), clipped(rest, limit_chars // 3, hint)
    return "\n".join(parts)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = [*pattern.finditer(text)]
    return found[-1] if found else None
