"""pytest's report of what failed, in few words: each of them is a token that a model has to read.

What is not known to be pytest's own dress is kept.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from super_agent.core.text import clipped, lines_of

_RULE_CHARS = 60
"""pytest draws its rules over 80 columns where there is no terminal; shorter ones are those of other programs."""
_RULE = re.compile(r"=+ (.+?) =+")
_HEADING = re.compile(r"_+ (.+?) _+")
_ASIDE = re.compile(r"[-!]{3,} (.+?) [-!]{3,}")
_COUNTED = re.compile(r"((?:\d+ [a-z]+(?:, )?)+) in \d+(?:\.\d+)?s(?: \(.*\))?")
_FAILING = re.compile(r"FAILURES|ERRORS")
_SUMMARY = re.compile(r"short test summary info")
_UNTOLD = re.compile(
    r"warnings summary.*|PASSES|XPASSES|XFAILURES|slowest .*|tests coverage|coverage: .*|rerun test summary info"
)
_SESSION = re.compile(r"test session starts")
_HEADER = re.compile(
    r"(?:platform|cachedir:|rootdir:|configfile:|testpaths:|plugins:|timeout|collect\w*|metadata:|created:|gw\d) ?.*"
    r"|\d+ workers .*|scheduling tests via .*|hypothesis profile .*|bringing up nodes.*|asyncio: .*"
)
_PROGRESS = re.compile(r"(?:\S+ )?[.FEsxX]+(?: +\[ *\d+%\])?|\S+::.* +\[ *\d+%\]|\[gw\d+\] .*")
_RESULT = re.compile(r"(?:SUB)?(?P<how>FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS)\S*(?: \[\d+\])? (?P<what>.*)")
_CUT = re.compile(r"… \d+ bytes left out …")
_ADDRESS = re.compile(r"(<[^<>]*?) at 0x[0-9a-fA-F]{6,}>")
_NO_NEWS = re.compile(
    r"(?:_ )+_?|E|E +Use -v to get (?:more|the full) diff|Traceback:"
    r"|ImportError while importing test module .*|Hint: make sure your test modules.*"
    r"|\S*/importlib/__init__\.py:\d+: in import_module| +return _bootstrap\._gcd_import\(.*| +[\^~]+"
)
"""Of a traceback: lines between its frames, marks below code, and how pytest itself came to import a test."""
LAST_LINES = 6
"""Of a further failure without an assertion, such as that of a doctest, which takes so many."""
MANY_LINES = 4
"""Of what was wrong in a further failure; of more its first and last two."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A test by its name, with the lines that pytest wrote of it; without a name what belongs to none."""

    name: str
    lines: list[str] = field(default_factory=list)

    def whole(self, shown: Collection[str]) -> Iterator[str]:
        """The name and the lines, without lines of code above a failing one that the reader has been `shown`."""
        if self.name:
            yield f"{self.name}:"
        above: list[str] = []
        for line in self.lines:
            if line.startswith("    ") and line[4:] in shown:
                above.append(line)
                continue
            if not line.startswith(">"):
                yield from above
            above = []
            yield line
        yield from above

    def short(self, *, with_place: bool) -> Iterator[str]:
        """The name, the statement that failed last and what was wrong with it; where they say no such thing, how the
        lines end. With its place where the name alone would not tell which test it is."""
        if self.name:
            yield f"{self.name}:"
        lines, _ = _parted(self.lines)
        failing = max((n for n, line in enumerate(lines) if line.startswith(">")), default=None)
        wrong = max((n for n, line in enumerate(lines) if line.startswith("E ")), default=None)
        if wrong is None:
            yield from lines[-LAST_LINES:]
            return
        begin = wrong
        while begin and lines[begin - 1].startswith("E "):
            begin -= 1
        if failing is None or failing > begin:  # in the short style place and statement stand before
            yield from lines[max(0, begin - 2) : begin]
        else:
            yield from lines[failing:begin]
        said = lines[begin : wrong + 1]
        yield from said if len(said) <= MANY_LINES else [*said[:2], *said[-2:]]
        if with_place:
            yield from lines[wrong + 1 : wrong + 2]


@dataclass(slots=True)
class PytestReport:
    """What failed, in pytest's order; what another command said `before`, and at the `end` how many tests failed and
    what was said behind that."""

    before: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    end: list[str] = field(default_factory=list)

    def told(self, limit_chars: int, hint: str, shown: Collection[str]) -> str:
        """The first failure with all that was said of it, of each further one what was wrong.

        Lines of code that the reader has been `shown` are left out, but for those that failed. `hint` says how to see
        what a cut leaves out.
        """
        names = [failure.name for failure in self.failed]
        end = clipped("\n".join(self.end), limit_chars // 3, hint)
        short = (line for each in self.failed[1:] for line in each.short(with_place=names.count(each.name) > 1))
        further = clipped("\n".join(short), limit_chars // 3, hint)
        said, aside = _parted(list(self.failed[0].whole(shown)))
        room = limit_chars - len(end) - len(further)
        first = clipped("\n".join([*self.before, *said]), room, hint)
        if aside and room - len(first) > len(hint) + 80:
            first += "\n" + clipped("\n".join(aside), room - len(first) - 1, hint)
        return "\n".join(part for part in (first, further, end) if part)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """A test's traceback, and what the test printed."""
    place = next((n for n, line in enumerate(lines) if line.startswith("Captured ") and line.endswith(":")), len(lines))
    return lines[:place], lines[place:]


def read_report(output: str) -> PytestReport | None:
    """What pytest wrote of its failures; None where that was something else, or nothing of its tests one by one."""
    reading = _Reading()
    for line in lines_of(output):
        said = line.rstrip()
        if said and not _NO_NEWS.fullmatch(said):
            reading.take(_ADDRESS.sub(r"\1>", said))
    reading.report.failed = [failure for failure in reading.report.failed if failure.name or failure.lines]
    return reading.report if any(failure.name for failure in reading.report.failed) else None


@dataclass(slots=True)
class _Reading:
    report: PytestReport = field(default_factory=PytestReport)
    part: re.Pattern[str] | None = None
    within_result: bool = False
    """Where CI is set, pytest's summary tells a test's message on as many lines as it has."""

    def take(self, line: str) -> None:
        """Put one line where it belongs."""
        if found := _COUNTED.fullmatch(_rule(_RULE, line) or line):
            self.part = _SUMMARY
            self.within_result = False
            self.report.end.append(found[1])
        elif (name := _rule(_RULE, line)) and (part := _part_of(name)):
            self.part = part
            if part is _FAILING:
                self.report.failed.append(Failure(""))
        elif self.part is _FAILING:
            self._of_failure(line)
        elif self.part is _SUMMARY:
            self._of_summary(line)
        elif self.part is _UNTOLD:
            self.report.end += [line] if line.startswith("FAIL ") else []
        elif not _PROGRESS.fullmatch(line) and not (self.part is _SESSION and _HEADER.fullmatch(line)):
            self.report.before.append(line)

    def _of_failure(self, line: str) -> None:
        if name := _rule(_HEADING, line):
            self.report.failed.append(Failure(name))
        elif _CUT.fullmatch(line):  # what follows belongs to a test whose heading is not there
            self.report.failed.append(Failure(line))
        else:
            aside = _rule(_ASIDE, line)
            self.report.failed[-1].lines.append(f"{aside}:" if aside else line)

    def _of_summary(self, line: str) -> None:
        """A test with a traceback need not be told again."""
        aside = _rule(_ASIDE, line)
        found = _RESULT.fullmatch(line)
        if found:
            self.within_result = found["how"] not in ("FAILED", "ERROR") or self._is_told(found["what"])
        elif aside:
            self.within_result = False
        if not self.within_result:
            self.report.end.append(aside or line)

    def _is_told(self, result: str) -> bool:
        name = result.split(" - ", 1)[0].rpartition("::")[2]
        return any(
            failure.name == name or failure.name.endswith((f" {name}", f".{name}")) for failure in self.report.failed
        )


def _rule(pattern: re.Pattern[str], line: str) -> str:
    """What stands in a rule over the whole width; empty where the line is none."""
    found = pattern.fullmatch(line) if len(line) >= _RULE_CHARS else None
    return found[1] if found else ""


def _part_of(name: str) -> re.Pattern[str] | None:
    """Which part of the report begins under that name; None where it is not pytest's."""
    return next((part for part in (_FAILING, _SUMMARY, _UNTOLD, _SESSION) if part.fullmatch(name)), None)
