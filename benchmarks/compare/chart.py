"""A bar chart of evaluated prompt tokens, as an SVG that reads well on light and on dark pages."""

from collections.abc import Sequence
from html import escape

from benchmarks.compare.measure import RunCost

WIDTH, LABEL, BAR, GAP = 760, 290, 22, 12
STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #24292f; }
.small { font-size: 12px; fill: #57606a; }
.stock { fill: #8c959f; }
.ours { fill: #1a7f37; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .stock { fill: #6e7681; }
  .ours { fill: #3fb950; }
}"""


def svg(rows: Sequence[RunCost]) -> str:
    """Bars for the short task, most first; lengths are in proportion."""
    shown = sorted((row for row in rows if row.length == "short"), key=lambda row: -row.evaluated)
    most = max((row.evaluated for row in shown), default=1)
    height = 56 + len(shown) * (BAR + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        "<title>Prompt tokens evaluated for the same short task; fewer is better</title>",
        f"<style>{STYLE}</style>",
        '<text x="0" y="18">Prompt tokens that the server evaluated for the same task</text>',
        '<text x="0" y="36" class="small">Same model, server and replies. Fewer is faster.</text>',
    ]
    for place, row in enumerate(shown):
        parts += _bar(row, 50 + place * (BAR + GAP), most)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(row: RunCost, top: int, most: int) -> list[str]:
    length = max(2, round((WIDTH - LABEL - 90) * row.evaluated / most))
    kind = "stock" if row.stock else "ours"
    middle = top + BAR - 6
    return [
        f'<text x="{LABEL - 10}" y="{middle}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect x="{LABEL}" y="{top}" width="{length}" height="{BAR}" rx="3" class="{kind}"/>',
        f'<text x="{LABEL + length + 8}" y="{middle}">{row.evaluated:,}</text>',
    ]
