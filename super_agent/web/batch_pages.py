"""Batches of this machine: how each stands, and its results with the session of each task."""

import shlex
import time
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.batches.attempts import Attempt
from super_agent.core.batches.status_notes import SeenBatch, batches
from super_agent.session.messages import batch_messages as words
from super_agent.session.messages.run_messages import END, duration
from super_agent.session.messages.translation import translator_for
from super_agent.web.page_templates import PageTemplates
from super_agent.web.request_parameters import whole_number
from super_agent.web.server_context import ServerContext

A_PAGE = 100
MOST_RESULTS = 10**7
CHOICES = {"": None, "done": True, "not done": False}
REASONS = {str(reason): text for reason, text in END.items()}


def show_all(context: ServerContext, pages: PageTemplates, _request: Request) -> Response:
    """The list, newest first."""
    found = [_standing(context, seen) for seen in batches(context.settings.state_dir)]
    return pages.response("batches.html", batches=found)


def show(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """One batch; the address says which of its results."""
    name, query = request.path_params["batch"], request.query_params
    seen = next((seen for seen in batches(context.settings.state_dir) if seen.name == name), None)
    if seen is None:
        raise HTTPException(404, "There is no such batch.")
    choice = query.get("outcome", "")
    if choice not in CHOICES:
        raise HTTPException(404, "There is no such page.")
    first = whole_number(query, "from", 0, MOST_RESULTS) or 0
    rows, count, error, bad = list[Attempt](), 0, "", 0
    try:
        results = context.results.of(seen.name, Path(seen.note.folder))
        rows, count = results.page(CHOICES[choice], first, A_PAGE)
        bad = results.bad
    except FileNotFoundError:
        error = "Its results are not there any more."
    except OSError as failed:
        error = failed.strerror or str(failed)
    sessions = [row.session for row in rows] + [attempt.session for attempt in seen.note.running]
    say = translator_for(context.language)
    return pages.response(
        "batch.html", **_standing(context, seen), rows=rows, count=count, error=error, bad=bad,
        choice=choice, choices=CHOICES, before=max(first - A_PAGE, 0) if first else None,
        after=first + A_PAGE if count > first + A_PAGE else None,
        outcomes=words.OUTCOMES, reasons=REASONS, took=lambda seconds: duration(seconds, say), now=time.time(),
        apply=shlex.join(("super-agent", "batch", "apply", seen.note.folder, "ID")),
        stored={name for name in sessions if name and context.store.get(name) is not None},
    )  # fmt: skip


def _standing(context: ServerContext, seen: SeenBatch) -> dict[str, Any]:
    say, now = translator_for(context.language), time.time()
    return {
        "batch": seen,
        "note": seen.note,
        "counts": words.counts(seen.note, say),
        "under_way": words.under_way(seen.note, now, say) if seen.state == "running" else "",
        "state": words.STATES[seen.state],
    }
