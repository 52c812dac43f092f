"""What each turn cost, as inline SVG: tokens sent against evaluated, and how fast prompts and replies went."""

from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.events import RequestFinished, Stamped
from super_agent.session.html_report.html_elements import esc
from super_agent.session.messages.translation import Translator, english

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1000, 200, 70, 24, 14
MOST_GROUPS = 60
"""Of more turns only the last ones are drawn: a mean of neighbours would hide what is looked for."""
LEAST_HEIGHT = 1.0
"""A bar lower than this could not be seen."""


@dataclass(slots=True)
class TurnCost:
    """Sums of one turn; `evaluated` and `prompt_s` are None where a call did not tell."""

    turn: int
    sent: int = 0
    evaluated: int | None = 0
    timed_tokens: int = 0
    prompt_s: float = 0.0
    replied: int = 0
    reply_s: float = 0.0

    def add(self, call: RequestFinished) -> None:
        """One call more."""
        self.sent += call.prompt_tokens
        known = self.evaluated is not None and call.evaluated_tokens is not None
        self.evaluated = (self.evaluated or 0) + (call.evaluated_tokens or 0) if known else None
        if call.prompt_s:
            self.timed_tokens += call.evaluated_tokens or 0
            self.prompt_s += call.prompt_s
        self.replied += call.completion_tokens
        self.reply_s += max(call.wall_s - (call.load_s or 0.0) - (call.prompt_s or 0.0), 0.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind` is a class of the style."""

    kind: str
    value: float
    title: str


def turn_costs(events: Sequence[Stamped]) -> list[TurnCost]:
    """In their order; turn 0 is what comes before the first."""
    found: dict[int, TurnCost] = {}
    for stamped in events:
        if isinstance(stamped.event, RequestFinished):
            found.setdefault(stamped.turn, TurnCost(stamped.turn)).add(stamped.event)
    return [found[turn] for turn in sorted(found)]


def tokens_plot(costs: Sequence[TurnCost], say: Translator = english) -> str:
    """Prompt tokens by turn; empty where no call was made."""
    sent, evaluated, groups = say("prompt tokens sent"), say("evaluated"), []
    for cost in costs:
        bars = [Bar("lane-bar", cost.sent, f"{sent}: {say.number(cost.sent)}")]
        if cost.evaluated is not None:
            reused = f" ({cost.evaluated / cost.sent:.0%})" if cost.sent else ""
            bars.append(Bar("autogen", cost.evaluated, f"{evaluated}: {say.number(cost.evaluated)}{reused}"))
        groups.append((str(cost.turn), bars))
    return _plot(groups, "tokens", f"{sent}, {evaluated}", say)


def speed_plot(costs: Sequence[TurnCost], say: Translator = english) -> str:
    """Tokens a second by turn; of prompts only where the server tells how long it took."""
    prompt, reply, groups = say("prompt"), say("reply"), []
    for cost in costs:
        bars = []
        if cost.prompt_s and cost.timed_tokens:
            speed = cost.timed_tokens / cost.prompt_s
            bars.append(Bar("open-interpreter", speed, f"{prompt}: {say.number(speed, ',.0f')}/s"))
        if cost.reply_s and cost.replied:
            speed = cost.replied / cost.reply_s
            bars.append(Bar("code", speed, f"{reply}: {say.number(speed, ',.1f')}/s"))
        groups.append((str(cost.turn), bars))
    return _plot(groups, "tokens/s", f"{prompt}, {reply}", say)


def _plot(groups: Sequence[tuple[str, list[Bar]]], unit: str, label: str, say: Translator) -> str:
    groups = groups[-MOST_GROUPS:]
    most = max((bar.value for _, bars in groups for bar in bars), default=0.0)
    if most <= 0:
        return ""
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT) / len(groups)
    parts = [f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{esc(label)}">']
    for share in (0.0, 0.5, 1.0):
        y = floor - room * share
        parts.append(f'<line class="lane" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{say.number(most * share, ",.0f")}</text>'
        )
    parts.append(f'<text x="0" y="{HEIGHT - 6}">{esc(unit)}</text>')
    for number, (name, bars) in enumerate(groups):
        left, wide = LEFT + step * number, min(step * 0.7, 120) / max(len(bars), 1)
        start = left + (step - wide * len(bars)) / 2
        for place, bar in enumerate(bars):
            high = max(room * bar.value / most, LEAST_HEIGHT)
            where = f'x="{start + wide * place:.1f}" y="{floor - high:.1f}" width="{wide:.1f}" height="{high:.1f}"'
            parts.append(f'<rect class="{bar.kind}" {where}><title>{esc(bar.title)}</title></rect>')
        parts.append(f'<text x="{left + step / 2:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{esc(name)}</text>')
    return "".join(parts) + "</svg>"
