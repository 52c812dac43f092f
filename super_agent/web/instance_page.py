"""The instance: what is loaded, who uses it, and `verify` at a button."""

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from super_agent.core.errors import ServerError
from super_agent.core.instance.diagnosis_messages import cause_text
from super_agent.core.instance.instance_status import instance_status
from super_agent.core.ollama.api import Ollama
from super_agent.session.html_report.instance_history_chart import LANES, history_plot, noted
from super_agent.session.messages.ps_columns import processor, size, until
from super_agent.session.messages.translation import translator_for
from super_agent.session.messages.verify_messages import BECAUSE, TITLES, fix, seen
from super_agent.web.page_templates import PageTemplates, marked
from super_agent.web.server_context import ServerContext

MARKS = {"passed": "✓", "warning": "⚠", "failed": "✗", "not_observable": "·"}
MOST_NOTED, AMONG_EVENTS = 200, 50_000
"""Loads and the like that are drawn, and among how many of the last stored events they are looked for."""
LISTED = 20
KINDS = {"passed": "good", "warning": "warn", "failed": "bad", "not_observable": "dim"}


def show(context: ServerContext, pages: PageTemplates, _request: Request) -> Response:
    """One look, and the last proof."""
    picture, error = None, ""
    events = context.store.recent("instance_noted", MOST_NOTED, AMONG_EVENTS)
    say = translator_for(context.language)
    try:
        with Ollama(context.settings) as server:
            picture = instance_status(server, context.settings)
    except ServerError as failed:
        error = pages.told(failed)
    return pages.response(
        "instance.html", picture=picture, error=error, now=time.time(), processor=processor, size=size, until=until,
        settings=context.settings, proof=context.verification,
        failure=pages.told(context.verification.error) if context.verification.error is not None else "",
        checks=_checks(context),
        noted=[*reversed(noted(events))][:LISTED], names=LANES,
        history=marked(history_plot(events, say)),
    )  # fmt: skip


def verify(context: ServerContext, _pages: PageTemplates, _request: Request) -> Response:
    """Begin a proof and show it."""
    context.verification.start()
    return RedirectResponse(f"{context.base}instance", 303)


def _checks(context: ServerContext) -> list[dict[str, str]]:
    words = context.language
    return [
        {
            "mark": MARKS[line.status],
            "kind": KINDS[line.status],
            "title": TITLES[words][line.name],
            "seen": seen(line, words),
            "cause": f"{BECAUSE[words]} {cause_text(line.cause, words)}" if line.cause is not None else "",
            "fix": "" if line.status == "passed" else fix(line, words),
        }
        for line in [*context.verification.lines]
    ]
