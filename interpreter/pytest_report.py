"""pytest's report of what failed, in few words: each of them is a token that a model has to read."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from super_agent.core.text import clipped

_PART = re.compile(r"={3,} (.+?) ={3,}")
_HEADING = re.compile(r"_{3,} (.+?) _{3,}")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DURATION = re.compile(r" in \d+(?:\.\d+)?s(?: \(.*\))?$")
_ASIDE = re.compile(r"[-!]{3,} (.+?) [-!]{3,}")
_RESULT_OF_ONE = re.compile(r"(?:FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS) ")
_PROGRESS = re.compile(r"(?:\S+ )?[.FEsxX]+(?: +\[ *\d+%\])?|\S+::.* +\[ *\d+%\]")
_NO_NEWS = re.compile(
    r"(?:_ )+_?|[\s^~]+|E|E +Use -v to get (?:more|the full) diff|Traceback:"
    r"|ImportError while importing test module .*|Hint: make sure your test modules.*"
    r"|\S*/importlib/__init__\.py:\d+: in import_module| +return _bootstrap\._gcd_import\(.*"
)
"""Of a traceback: lines between its frames, marks below code, and how pytest itself came to import a test."""
FAILURES = ("FAILURES", "ERRORS")
SUMMARY = "short test summary info"
LINES_OF_FURTHER = 3
"""What failed in a test beside the first one: what it expected and what was there instead."""


@dataclass(frozen=True, slots=True)
class FailedTest:
    """By its name, with the lines of its tracebacks, without blank ones."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PytestReport:
    """The tests that failed, in pytest's order; what another command said `before`, and at the `end` how many of the
    tests failed and what was said behind that."""

    before: tuple[str, ...]
    failed: tuple[FailedTest, ...]
    end: tuple[str, ...]

    def told(self, limit_chars: int, hint: str, shown: Collection[str]) -> str:
        """The first test with all that was said of it, of each further one what failed.

        Lines of code that the reader has been `shown` are left out, but for those that failed. `hint` says how to see
        what a cut leaves out.
        """
        first = "\n".join([*self.before, *_whole(self.failed[0], shown)])
        further = "\n".join(line for test in self.failed[1:] for line in _short(test))
        end = "\n".join(self.end)
        if further and len(first) + len(further) + len(end) > limit_chars:
            first, further = clipped(first, limit_chars * 2 // 3, hint), clipped(further, limit_chars // 3, hint)
        return clipped("\n".join(part for part in (first, further, end) if part), limit_chars, hint)


def read_report(output: str) -> PytestReport | None:
    """What pytest wrote of its failures; None where that was something else, or nothing of its tests one by one."""
    reading = _Reading()
    for line in _telling(output):
        reading.take(line)
    if not reading.failed:
        return None
    if not reading.end:  # without a summary the last line counts the tests
        reading.end = [_DURATION.sub("", line) for line in reading.failed[-1][1][-1:]]
        del reading.failed[-1][1][-1:]
    failed = tuple(FailedTest(name, tuple(lines)) for name, lines in reading.failed)
    return PytestReport(tuple(reading.before), failed, tuple(reading.end))


@dataclass(slots=True)
class _Reading:
    part: str = ""
    before: list[str] = field(default_factory=list)
    failed: list[tuple[str, list[str]]] = field(default_factory=list)
    end: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        if found := _PART.fullmatch(line):
            self._enter(found[1])
        elif self.part in FAILURES and (found := _HEADING.fullmatch(line)):
            self.failed.append((found[1], []))
        elif self.part in FAILURES and self.failed:
            self.failed[-1][1].append(line)
        elif self.part == SUMMARY and not _RESULT_OF_ONE.match(line):
            self.end.append(_DURATION.sub("", line))
        elif not self.part and not _PROGRESS.fullmatch(line):
            self.before.append(line)

    def _enter(self, part: str) -> None:
        self.part = part
        if _DURATION.search(part):
            self.end.append(_DURATION.sub("", part))
            self.part = SUMMARY


def _telling(output: str) -> Iterator[str]:
    """The lines that say something, without addresses."""
    for line in output.splitlines():
        said = line.rstrip()
        if said and not _NO_NEWS.fullmatch(said):
            yield _ASIDE.sub(r"\1:", _ADDRESS.sub("", said))


def _whole(test: FailedTest, shown: Collection[str]) -> Iterator[str]:
    """The heading and the lines; a statement that failed may go on in the lines behind its mark."""
    yield f"{test.name}:"
    failing = False
    for line in test.lines:
        failing = line.startswith(">") or (failing and line.startswith("    "))
        if failing or not line.startswith("    ") or line[4:] not in shown:
            yield line


def _short(test: FailedTest) -> Iterator[str]:
    yield f"{test.name}:"
    yield from _first(line for line in test.lines if line.startswith((">", "E ")))


def _first(lines: Iterable[str]) -> list[str]:
    return [line for _, line in zip(range(LINES_OF_FURTHER), lines, strict=False)]
