"""The goals of the comparison, each with what was measured and how much is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.compare.measure import RunCost
from benchmarks.compare.pair import Pair

ONCE_SLACK = 1.02
INTERLEAVED_SLACK = 1.03
LEAST_REUSE = 0.95
LEAST_TIMES_FEWER = 15.0
MOST_ORCHESTRATION = 0.02
MOST_CPU_MS = 10.0
TIMES_FASTER = 5.0
SHARE_OF_MEMORY = 0.25


@dataclass(frozen=True, slots=True)
class Goal:
    """`measured` against `wanted`, in `unit`; with `at_least` more is better. `why` explains a shortfall."""

    name: str
    measured: float
    wanted: float
    unit: str = ""
    at_least: bool = False
    why: str = ""

    @property
    def reached(self) -> bool:
        """Whether it is met."""
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted

    @property
    def shortfall(self) -> str:
        """In words."""
        if self.reached:
            return "reached"
        why = f" ({self.why})" if self.why else ""
        return f"**not reached**: {abs(self.measured - self.wanted):.4g}{self.unit} short{why}"

    def row(self) -> str:
        """A line of the table in Markdown."""
        sign = "≥" if self.at_least else "≤"
        return (
            f"| {self.name} | {self.measured:.4g}{self.unit} | {sign} {self.wanted:.4g}{self.unit} | {self.shortfall} |"
        )


def goals(rows: Sequence[RunCost], pairs: Sequence[Pair]) -> list[Goal]:
    """Those that the measured rows allow to judge; the last pair is ours."""
    reloads = [row.loads - 1 for row in rows if not row.stock] + [pair.loads - 1 for pair in pairs[-1:]]
    return [
        *_each_token_once(rows),
        Goal("super-agent: reloads, of its two clients in turn too", sum(reloads), 0),
        *_against_stock(rows),
        *_overhead(rows),
    ]


def _ours(rows: Sequence[RunCost]) -> list[RunCost]:
    return [row for row in rows if not row.stock]


def _find(rows: Sequence[RunCost], name: str, length: str = "short") -> RunCost | None:
    return next((row for row in rows if row.name == name and row.length == length), None)


def _each_token_once(rows: Sequence[RunCost]) -> Iterator[Goal]:
    for row in _ours(rows):
        slack = INTERLEAVED_SLACK if "interpreter" in row.name else ONCE_SLACK
        what = f"{row.name}, {row.length}: prompt tokens evaluated, each once being {row.once:,}"
        yield Goal(what, row.evaluated, row.once * slack)
    for length in ("short", "long"):
        if team := _find(rows, "super-agent team", length):
            what = f"team, {length}: share of the sent tokens not evaluated again"
            why = f"{team.stretches - 1} compactions; what each keeps is evaluated anew" if team.stretches > 1 else ""
            yield Goal(what, 100 * team.reuse, 100 * LEAST_REUSE, " %", at_least=True, why=why)


def _against_stock(rows: Sequence[RunCost]) -> Iterator[Goal]:
    for length in ("short", "long"):
        team, stock = _find(rows, "super-agent team", length), _find(rows, "stock AutoGen SelectorGroupChat", length)
        if team and stock:
            times = stock.evaluated / team.evaluated
            yield Goal(
                f"{length}: evaluated by SelectorGroupChat / by the team", times, LEAST_TIMES_FEWER, " times", True
            )
    team, stock = _find(rows, "super-agent team"), _find(rows, "stock AutoGen SelectorGroupChat")
    if team and stock:
        yield Goal("first event of the team, before AutoGen is imported alone", team.ready_s, stock.ready_s, " s")
    solo, stock = _find(rows, "super-agent solo"), _find(rows, "stock Open Interpreter")
    if solo and stock:
        faster = stock.first_call_s / solo.first_call_s
        yield Goal("start-up of Open Interpreter / of the executor", faster, TIMES_FASTER, " times", at_least=True)
        share = 100 * solo.peak_mb / stock.peak_mb
        yield Goal("memory of the executor, of Open Interpreter's", share, 100 * SHARE_OF_MEMORY, " %")


def _overhead(rows: Sequence[RunCost]) -> Iterator[Goal]:
    for row in _ours(rows):
        share = 100 * row.orchestration_s / row.wall_s
        what = f"{row.name}, {row.length}"
        why = f"{row.first_call_s:.1f} of {row.orchestration_s:.1f} s are start-up; the checks are in it too"
        yield Goal(f"{what}: orchestration", share, 100 * MOST_ORCHESTRATION, " % of the time", why=why)
        why = "each streamed piece is an event and a line of JSON; stock teams do not stream"
        yield Goal(f"{what}: CPU a call", row.cpu_ms_a_call, MOST_CPU_MS, " ms", why=why)
