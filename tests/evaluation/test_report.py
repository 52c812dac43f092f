"""Table, plot and the guard: figures that can be recomputed by hand."""

import xml.etree.ElementTree as ElementTree

import pytest

from evaluation import plot, report
from evaluation.__main__ import guard
from evaluation.record import Row


def row(contestant: str, *, solved: bool, tokens: int = 100, evaluated: int | None = 500, **more: object) -> Row:
    values: dict[str, object] = {
        "model": "m",
        "contestant": contestant,
        "task": "mend/x",
        "kind": "mend",
        "seed": 1,
        "budget": 2000,
        "solved": solved,
        "reason": "solved" if solved else "wrong",
        "ending": "ended",
        "exit_code": 0,
        "calls": 2,
        "prompt_tokens": 900,
        "evaluated": evaluated,
        "reply_tokens": tokens,
        "loads": 1,
        "model_s": 3.0,
        "wall_s": 4.0,
        "lost_replies": 0,
        "ours": contestant == "team",
        "detail": "",
        "date": "2026-01-01",
        "commit": "abc",
        "replies": [],
    }
    return Row(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("solved", "runs", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.278), (5, 12, 0.193, 0.680), (10, 10, 0.722, 1.0)],
)
def test_wilson(solved: int, runs: int, low: float, high: float) -> None:
    assert report.wilson(solved, runs) == pytest.approx((low, high), abs=0.001)


def test_a_line_of_the_table() -> None:
    rows = [
        row("team", solved=True, tokens=100),
        row("team", solved=False, tokens=300),
        row("team", solved=False, tokens=100, reason="format loss"),
        row("team", solved=False, tokens=0, reason="died"),
    ]

    (standing,) = report.standings(rows)

    assert standing.line() == (
        "| **team** | 4 | 1 (25 %) | 5–70 % | 2.00 | 125 | 2,000 | 4 | 3.0 | 1 | 1 died, 1 wrong |"
    )


def test_what_was_not_measured_is_a_dash_and_what_is_missing_is_said() -> None:
    page = report.markdown(
        [row("team", solved=True, evaluated=None), row("team", solved=True), row("peer", solved=False)], "here"
    )

    assert "| **team** | 2 | 2 (100 %) | 34–100 % | 10.00 | 100 | – |" in page
    assert "Not finished: peer with 1 of 2 runs." in page
    assert page.index("**team**") < page.index("| peer |")


def test_mixed_budgets_are_said() -> None:
    page = report.markdown([row("team", solved=True), row("peer", solved=True, budget=500)], "here")

    assert "Not comparable: runs with different budgets are mixed here (500, 2000)." in page


def test_kinds_have_a_table_of_their_own() -> None:
    page = report.markdown([row("team", solved=True), row("team", solved=False, kind="chore")], "here")

    assert "| solved | mend | chore |" in page
    assert "| team | 1 of 1 | 0 of 1 |" in page


def test_the_plot_rises_where_runs_were_solved() -> None:
    rows = [row("team", solved=True, tokens=500), row("team", solved=False), row("<peer>", solved=False)]

    image = ElementTree.fromstring(plot.svg(report.standings(rows)))

    lines = {line.get("stroke"): line.get("points") for line in image.iter("{http://www.w3.org/2000/svg}polyline")}
    assert list(lines.values()) == ["60.0,356.0 197.5,356.0 197.5,206.0 610.0,206.0", "60.0,356.0 610.0,356.0"]


def test_nothing_at_all_is_a_page_too() -> None:
    assert report.markdown([], "here") == "# Does it solve tasks?\n\nhere\n"
    ElementTree.fromstring(plot.svg([]))


@pytest.mark.parametrize(("reason", "code"), [("solved", 0), ("wrong", 0), ("format loss", 1), ("died", 1)])
def test_the_slice_of_ci_forgives_luck_and_no_loss(reason: str, code: int) -> None:
    told: list[str] = []

    assert guard([row("team", solved=reason == "solved", reason=reason)], told.append) == code
    assert ("team on mend/x" in told[0]) == bool(code)


def test_a_slice_without_runs_is_no_success() -> None:
    assert guard([], lambda _text: None) == 1
