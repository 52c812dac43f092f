"""The list of sessions: those under way first, then what the filters leave of all."""

import time

from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.batches.status_notes import running_batches
from super_agent.core.store.sessions import SessionRow
from super_agent.session.messages.batch_messages import counts, under_way
from super_agent.session.messages.translation import translator_for
from super_agent.session.session_lookup import first_line
from super_agent.web.page_templates import PageTemplates
from super_agent.web.server_context import ServerContext
from super_agent.web.session_filters import REASONS, STATES, FilterInvalid, SessionFilters, first_of, standing, why

A_PAGE = 100


def show(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """The address says what is shown; a value that cannot be used is answered with one line above the form."""
    filters, rows = SessionFilters.of(request.query_params), context.store.sessions()
    batches, now = running_batches(context.settings.state_dir), time.time()
    found, say = list[SessionRow](), translator_for(context.language)
    first, wrong = 0, None
    try:
        filters.check()
        first = first_of(request.query_params)
        found = [row for row in rows if filters.let(row)]
    except FilterInvalid as error:
        wrong = error
    return pages.response(
        "sessions.html",
        200 if wrong is None else 400,
        batches=[(seen, counts(seen.note, say), under_way(seen.note, now, say)) for seen in batches],
        running=[row for row in rows if row.state == "running"],
        rows=found[first : first + A_PAGE],
        before=max(first - A_PAGE, 0) if first else None,
        after=first + A_PAGE if len(found) > first + A_PAGE else None,
        count=len(found),
        wrong=wrong,
        filters=filters,
        is_filtered=filters != SessionFilters(),
        states=STATES,
        reasons=REASONS,
        workspaces=sorted({row.workspace for row in rows}),
        standing=standing,
        why=why,
        first_line=first_line,
    )
