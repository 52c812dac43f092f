"""Rows as a table in Markdown: what was solved, what it cost, what was lost and why; with confidence intervals."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from evaluation.record import Row

Z95 = 1.959964
"""The normal distribution's 97.5th percentile."""
Tell = Callable[[str], None]
HEAD = (
    "| who | runs | solved | 95 % interval | solved / 1,000 reply tokens | reply tokens a run "
    "| prompt tokens evaluated / solved | loads | model seconds a run | format losses | why the others failed |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|"
)
LEGEND = """\
Same tasks, server and model; at most {budget:,} reply tokens and the same time for each run; judged by pristine tests
in the sandbox. *95 % interval*: Wilson's, of the share solved. *prompt tokens evaluated*: from the server's log, those
that stood in its cache left out; {evaluated}. *loads*: how often the model was loaded, the first time included.
*format losses*: runs that failed although a reply held the whole right answer."""


def wilson(solved: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), from 0 to 1; the whole of it without runs."""
    if runs == 0:
        return 0.0, 1.0
    share, z2 = solved / runs, Z95**2
    middle = (share + z2 / (2 * runs)) / (1 + z2 / runs)
    half = Z95 * math.sqrt(share * (1 - share) / runs + z2 / (4 * runs**2)) / (1 + z2 / runs)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Standing:
    """All runs of one contestant with one model."""

    model: str
    contestant: str
    rows: Sequence[Row]

    @property
    def solved(self) -> int:
        """Runs that were solved."""
        return sum(row.solved for row in self.rows)

    @property
    def reply_tokens(self) -> int:
        """Of all runs, failed ones included."""
        return sum(row.reply_tokens for row in self.rows)

    @property
    def evaluated_each(self) -> float | None:
        """Prompt tokens evaluated for each solved run; None without the server's log or a solved run."""
        counts = [row.evaluated for row in self.rows if row.evaluated is not None]
        return sum(counts) / self.solved if self.solved and len(counts) == len(self.rows) else None

    def line(self) -> str:
        """A row of the table."""
        low, high = wilson(self.solved, len(self.rows))
        loads = [row.loads for row in self.rows if row.loads is not None]
        reasons = Counter(row.reason for row in self.rows if row.reason not in ("solved", "format loss"))
        why = ", ".join(
            f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        )
        each = self.evaluated_each
        cells = [
            f"**{self.contestant}**" if self.rows[0].ours else self.contestant,
            f"{len(self.rows)}",
            f"{self.solved} ({100 * self.solved / len(self.rows):.0f} %)",
            f"{100 * low:.0f}–{100 * high:.0f} %",
            f"{1000 * self.solved / self.reply_tokens:.2f}" if self.reply_tokens else "–",
            f"{self.reply_tokens / len(self.rows):,.0f}",
            "–" if each is None else f"{each:,.0f}",
            f"{sum(loads)}" if loads else "–",
            f"{sum(row.model_s for row in self.rows) / len(self.rows):.1f}",
            f"{sum(row.reason == 'format loss' for row in self.rows)}",
            why or "–",
        ]
        return f"| {' | '.join(cells)} |"


def standings(rows: Sequence[Row]) -> list[Standing]:
    """By model, the most solved first."""

    def key(row: Row) -> tuple[str, str]:
        return row.model, row.contestant

    found = [Standing(*pair, list(group)) for pair, group in groupby(sorted(rows, key=key), key)]
    return sorted(found, key=lambda one: (one.model, -one.solved / len(one.rows), one.contestant))


def markdown(rows: Sequence[Row], where: str) -> str:
    """The whole page; a contestant whose runs are fewer than the others' is named in a note."""
    parts = ["# Does it solve tasks?", where]
    if rows:
        measured = "– where it could not be read" if any(row.evaluated is None for row in rows) else "read for all runs"
        budgets = sorted({row.budget for row in rows})
        parts.append(LEGEND.format(budget=budgets[-1], evaluated=measured))
        if len(budgets) > 1:
            parts.append(
                f"Not comparable: runs with different budgets are mixed here ({', '.join(map(str, budgets))})."
            )
    for model, group in groupby(standings(rows), lambda one: one.model):
        here = list(group)
        parts += [f"## {model}", "\n".join([HEAD, *(one.line() for one in here)]), by_kind(here)]
        most = max(len(one.rows) for one in here)
        commits = list(dict.fromkeys(row.commit for one in here for row in one.rows if row.ours))
        if len(commits) > 1:
            parts.append(f"super-agent was measured at several commits: {', '.join(commits)}.")
        parts += [
            f"Not finished: {one.contestant} with {len(one.rows)} of {most} runs."
            for one in here
            if len(one.rows) < most
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def by_kind(here: Sequence[Standing]) -> str:
    """Solved of each kind of task."""
    kinds = list(dict.fromkeys(row.kind for one in here for row in one.rows))
    if len(kinds) < 2:
        return ""
    lines = [f"| solved | {' | '.join(kinds)} |", f"|---|{'--:|' * len(kinds)}"]
    for one in here:
        cells = []
        for kind in kinds:
            runs = [row for row in one.rows if row.kind == kind]
            cells.append(f"{sum(row.solved for row in runs)} of {len(runs)}")
        lines.append(f"| {one.contestant} | {' | '.join(cells)} |")
    return "\n".join(lines)
