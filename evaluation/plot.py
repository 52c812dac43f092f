"""Solved over reply tokens, as an SVG that reads well on light and on dark pages."""

from collections.abc import Sequence
from html import escape

from evaluation.report import Standing

WIDTH, LEFT, TOP, HEIGHT, RIGHT = 860, 60, 56, 300, 250
COLOURS = ("#8c959f", "#bf8700", "#8250df", "#0969da", "#cf222e", "#57606a", "#9a6700", "#6639ba")
OURS = ("#1a7f37", "#2da44e", "#4ac26b", "#116329", "#6fdd8b", "#044f1e", "#3fb950", "#238636")
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.small { font-size: 12px; fill: #57606a; }
.axis { stroke: #8c959f; stroke-width: 1; }
.grid { stroke: #8c959f; stroke-width: 0.4; stroke-dasharray: 2 4; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .small { fill: #9198a1; } }"""


def svg(standings: Sequence[Standing]) -> str:
    """One panel for each model; a line rises at the tokens that each solved run took."""
    models = list(dict.fromkeys(one.model for one in standings))
    height = max(1, len(models)) * (HEIGHT + TOP + 40)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        "<title>Share of tasks solved within so many reply tokens; higher and further left is better</title>",
        f"<style>{STYLE}</style>",
    ]
    for place, model in enumerate(models):
        here = [one for one in standings if one.model == model]
        parts += _panel(model, here, place * (HEIGHT + TOP + 40) + TOP)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(model: str, here: Sequence[Standing], top: int) -> list[str]:
    most = max((row.budget for one in here for row in one.rows), default=1)
    right, bottom = WIDTH - RIGHT, top + HEIGHT
    parts = [f'<text x="{LEFT}" y="{top - 20}">Solved within so many reply tokens: {escape(model)}</text>']
    for percent in (0, 25, 50, 75, 100):
        y = bottom - HEIGHT * percent / 100
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
    for quarter in range(5):
        x = LEFT + (right - LEFT) * quarter / 4
        parts.append(
            f'<text class="small" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{most * quarter // 4:,}</text>'
        )
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    ours, others = iter(OURS * 9), iter(COLOURS * 9)
    for place, one in enumerate(here):
        colour = next(ours if one.rows[0].ours else others)
        width = 2.5 if one.rows[0].ours else 1.5
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _steps(one, most, right, bottom))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" points="{points}"/>')
        y = top + 10 + 18 * place
        parts.append(f'<rect x="{right + 14}" y="{y - 9}" width="12" height="4" fill="{colour}"/>')
        label = f"{one.contestant}: {one.solved} of {len(one.rows)}"
        parts.append(f'<text class="small" x="{right + 32}" y="{y}">{escape(label)}</text>')
    return parts


def _steps(one: Standing, most: int, right: int, bottom: int) -> list[tuple[float, float]]:
    points = [(float(LEFT), float(bottom))]
    for number, tokens in enumerate(sorted(row.reply_tokens for row in one.rows if row.solved), 1):
        x = LEFT + (right - LEFT) * min(tokens, most) / most
        points += [(x, points[-1][1]), (x, bottom - HEIGHT * number / len(one.rows))]
    return [*points, (float(right), points[-1][1])]
