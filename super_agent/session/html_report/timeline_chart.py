"""When who worked, as an inline SVG: model calls of both clients, code, turns, and what happened to the instance."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from super_agent.core.events import CodeFinished, InstanceNoted, RequestFinished, Stamped, TurnStarted
from super_agent.session.html_report.html_elements import esc
from super_agent.session.html_report.instance_history_chart import LANES as INSTANCE
from super_agent.session.messages.run_messages import OUTCOMES, duration
from super_agent.session.messages.translation import Translator, english

LANES = ("autogen", "open-interpreter", "code")
WIDTH, LEFT, LANE = 1000, 110, 26
LEAST_WIDTH = 1.5
"""A bar narrower than this could not be seen."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Something that took time; seconds since the epoch."""

    lane: str
    kind: str
    start: float
    end: float
    title: str


def timeline(events: Sequence[Stamped], say: Translator = english) -> str:
    """Empty where nothing took time."""
    bars = [bar for stamped in events for bar in _bars(stamped, say)]
    if not bars:
        return ""
    start = min(events[0].time, *(bar.start for bar in bars))
    span = max(events[-1].time - start, 0.001)
    height = LANE * len(LANES) + 40

    def x(moment: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 10) * (moment - start) / span, 1)

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{esc(say("timeline of the session"))}">']
    for number, lane in enumerate(LANES):
        y = 20 + LANE * number
        parts.append(f'<text x="0" y="{y + 14}">{esc(say(lane))}</text>')
        parts.append(f'<line class="lane" x1="{LEFT}" x2="{WIDTH - 10}" y1="{y + 22}" y2="{y + 22}"/>')
    parts += (_turn(x(s.time), s.event.number, height) for s in events if isinstance(s.event, TurnStarted))
    for bar in bars:
        y, width = 22 + LANE * LANES.index(bar.lane), max(LEAST_WIDTH, x(bar.end) - x(bar.start))
        place = f'x="{x(bar.start)}" y="{y}" width="{width:.1f}" height="18"'
        parts.append(f'<rect class="{bar.kind}" {place}><title>{esc(bar.title)}</title></rect>')
    parts += _marks(events, x, height, say)
    parts.append(f'<text x="{LEFT}" y="{height - 4}">0 s</text>')
    parts.append(f'<text x="{WIDTH - 10}" y="{height - 4}" text-anchor="end">{duration(span, say)}</text></svg>')
    return "".join(parts)


def _bars(stamped: Stamped, say: Translator) -> Iterable[Interval]:
    event, end = stamped.event, stamped.time
    if isinstance(event, RequestFinished):
        title = say.fill(
            "{name}: {sent:,} tokens in, {replied:,} out, {time}", name=event.client, sent=event.prompt_tokens,
            replied=event.completion_tokens, time=duration(event.wall_s, say),
        )  # fmt: skip
        yield Interval(event.client, event.client, end - event.wall_s, end, title)
    elif isinstance(event, CodeFinished):
        kind = "code" if event.outcome == "finished" else "failed"
        title = f"{say(event.origin)}: {say(OUTCOMES[event.outcome])}, {duration(event.duration_s, say)}"
        yield Interval("code", kind, end - event.duration_s, end, title)


def _turn(x: float, number: int, height: int) -> str:
    return f'<line class="turn" x1="{x}" x2="{x}" y1="14" y2="{height - 16}"/><text x="{x + 2}" y="12">{number}</text>'


def _marks(events: Sequence[Stamped], x: Callable[[float], float], height: int, say: Translator) -> Iterable[str]:
    """A reload or a truncation that nobody asked for."""
    for stamped in events:
        event = stamped.event
        if isinstance(event, InstanceNoted) and not event.expected:
            title = f"{say(INSTANCE[event.kind])}: {event.detail}"
            place = f'cx="{x(stamped.time)}" cy="{height - 20}" r="4"'
            yield f'<circle class="failed" {place}><title>{esc(title)}</title></circle>'
