"""What happened to model instances over time, as an inline SVG: a lane for each kind, a dot for each time."""

from collections.abc import Sequence
from datetime import datetime

from super_agent.core.events import InstanceNoted, Stamped
from super_agent.session.html_report.html_elements import esc
from super_agent.session.messages.translation import Translator, english

LANES = {
    "load": "load",
    "reload": "reload",
    "eviction": "eviction",
    "truncation": "truncation",
    "keep_alive_reset": "keep-alive reset",
    "queued": "queued",
}
WIDTH, LEFT, LANE = 1000, 130, 24


def noted(events: Sequence[Stamped]) -> list[tuple[Stamped, InstanceNoted]]:
    """Those that tell of an instance."""
    return [(stamped, stamped.event) for stamped in events if isinstance(stamped.event, InstanceNoted)]


def history_plot(events: Sequence[Stamped], say: Translator = english) -> str:
    """Oldest first; empty where nothing happened. What nobody asked for has the colour of a failure."""
    found = noted(events)
    if not found:
        return ""
    lanes = [
        kind for kind in LANES if kind in ("load", "reload", "truncation") or any(e.kind == kind for _, e in found)
    ]
    start, end = found[0][0].time, found[-1][0].time
    span, height = max(end - start, 1.0), LANE * len(lanes) + 24
    label = esc(say("Loads, reloads, evictions, truncations"))
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">']
    for number, kind in enumerate(lanes):
        y = LANE * number + 18
        parts.append(f'<text x="0" y="{y}">{esc(say(LANES[kind]))}</text>')
        parts.append(f'<line class="lane" x1="{LEFT}" x2="{WIDTH - 10}" y1="{y + 4}" y2="{y + 4}"/>')
    for stamped, event in found:
        x = round(LEFT + 6 + (WIDTH - LEFT - 22) * (stamped.time - start) / span, 1)
        y = LANE * lanes.index(event.kind) + 14
        title = esc(f"{_moment(stamped.time)} {say(LANES[event.kind])}: {event.detail}")
        colour = "code" if event.expected else "failed"
        parts.append(f'<circle class="{colour}" cx="{x}" cy="{y}" r="5"><title>{title}</title></circle>')
    parts.append(f'<text x="{LEFT}" y="{height - 3}">{_moment(start)}</text>')
    parts.append(f'<text x="{WIDTH - 10}" y="{height - 3}" text-anchor="end">{_moment(end)}</text></svg>')
    return "".join(parts)


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"
