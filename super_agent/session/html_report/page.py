"""One file that works offline and anywhere: no script, nothing loaded, and a policy that forbids both."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from super_agent.core.events import InstanceNoted, RequestFinished, RunEnded, RunStarted, Stamped
from super_agent.core.store.sessions import SessionRow
from super_agent.session.html_report.events_as_html import HtmlRenderer
from super_agent.session.html_report.html_elements import esc, rows, tag
from super_agent.session.html_report.redaction import Redactor
from super_agent.session.html_report.stylesheet import STYLE
from super_agent.session.html_report.timeline_chart import timeline
from super_agent.session.messages import run_messages
from super_agent.session.messages.translation import Translator, english
from super_agent.session.session_lookup import first_line

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(row: SessionRow, events: Iterable[Stamped], hide: Redactor) -> str:
    """The whole document, with what `hide` hides left out of every text in it."""
    row = hide.row(row)
    shown = [hide.stamped(stamped) for stamped in events]
    story = HtmlRenderer()
    for stamped in shown:
        story.add(stamped)
    drawn = timeline(shown)
    body = (
        tag("h1", esc(row.task.strip()))
        + _state(row)
        + rows([*facts_of(row, shown), *figures_of(row, shown)])
        + (tag("h2", "Timeline") + drawn if drawn else "")
        + tag("h2", "Before the first turn")
        + story.html()
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{esc(first_line(row.task))}</title><style>{STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _state(row: SessionRow) -> str:
    if row.reason is None:
        return tag("p", esc(row.state), "warn")
    words = next((text for reason, text in run_messages.END.items() if reason == row.reason), row.reason)
    good = row.exit_code == 0
    return tag("p", esc(f"{'✓' if good else '✗'} {words}"), "good" if good else "bad")


def facts_of(row: SessionRow, events: Sequence[Stamped], say: Translator = english) -> list[tuple[str, str]]:
    """What was asked for, where and of which model: a name and a text each."""
    began = datetime.fromtimestamp(row.started).astimezone()
    facts = [("session", row.id), ("began", f"{began:%Y-%m-%d %H:%M:%S %z}"), ("mode", say(row.mode))]
    model = say.fill("{model} at {server}", model=row.model, server=row.base_url)
    facts += [("workspace", row.workspace), ("model", model)]
    for stamped in events:
        if isinstance(stamped.event, RunStarted):
            facts += [("check", stamped.event.check or say("none")), ("sandbox", stamped.event.sandbox)]
            break
    return [(say(name), text) for name, text in facts]


def figures_of(row: SessionRow, events: Sequence[Stamped], say: Translator = english) -> list[tuple[str, str]]:
    """What it changed and what it cost; summed from the events where the session has no end."""
    ends = [stamped.event for stamped in events if isinstance(stamped.event, RunEnded)]
    if ends:
        return list(run_messages.summary(ends[-1], say))
    calls = [stamped.event for stamped in events if isinstance(stamped.event, RequestFinished)]
    tokens_in, tokens_out = sum(c.prompt_tokens for c in calls), sum(c.completion_tokens for c in calls)
    counts: dict[str, int] = {}
    for stamped in events:
        if isinstance(stamped.event, InstanceNoted):
            counts[stamped.event.kind] = counts.get(stamped.event.kind, 0) + 1
    return [
        (say("files"), run_messages.paths(row.files, say) or say("none changed")),
        (say("turns"), str(row.turns)),
        (say("tokens"), run_messages.exchanged(tokens_in, tokens_out, len(calls), say)),
        (say("model"), run_messages.instance_counts(counts, say)),
    ]
