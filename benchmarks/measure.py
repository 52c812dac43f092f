"""Runs something several times and says what its median was, beside the goal."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing; `goal` and the numbers are in `unit`, `at_least` means that more is better."""

    name: str
    unit: str
    numbers: tuple[float, ...]
    goal: float
    at_least: bool = False

    @property
    def median(self) -> float:
        """Of the counted runs."""
        return statistics.median(self.numbers)

    @property
    def reached(self) -> bool:
        """Whether the median meets the goal."""
        return self.median >= self.goal if self.at_least else self.median <= self.goal

    def row(self) -> str:
        """A line of the table in Markdown."""
        least, most = min(self.numbers), max(self.numbers)
        sign = "≥" if self.at_least else "≤"
        verdict = "reached" if self.reached else "**missed**"
        return (
            f"| {self.name} | {self.median:.4g} {self.unit} | {least:.4g} to {most:.4g} "
            f"| {sign} {self.goal:g} {self.unit} | {verdict} |"
        )


def repeated(work: Callable[[], float], runs: int = RUNS) -> tuple[float, ...]:
    """What `work` returns, once to warm up and then as often as is counted."""
    work()
    return tuple(work() for _ in range(runs))


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
