"""One session: the conversation as it grows, its diff, what it cost and when, and the export."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.events import Stamped
from super_agent.core.snapshots.history import diff
from super_agent.core.store.sessions import SessionRow
from super_agent.session.choice import first_line
from super_agent.session.history import bounds, known_turns, open_past
from super_agent.session.narrate.hide import Hide, secrets_of
from super_agent.session.narrate.markup import diff as marked_diff
from super_agent.session.narrate.page import facts_of, figures_of, page
from super_agent.session.narrate.plots import speed_plot, tokens_plot, turn_costs
from super_agent.session.narrate.timeline import timeline
from super_agent.web.context import Context
from super_agent.web.fragments import Fragments
from super_agent.web.language import translator
from super_agent.web.rendering import Pages, marked, markup
from super_agent.web.sessions_page import standing, why

MOST_DIFF_CHARS = 2_000_000
"""Of a diff in a page; browsers grow slow with more."""


@dataclass(slots=True)
class Telling:
    """A session's story, made while it is sent; afterwards `seq` is where a page goes on from."""

    events: Iterator[Stamped]
    finished: bool
    fragments: Fragments = field(default_factory=Fragments)

    def parts(self) -> Iterator[str]:
        """HTML, part by part."""
        for stamped in self.events:
            for fragment in self.fragments.add(stamped):
                if fragment.kind == "part":
                    yield fragment.data["html"] + "\n"
        if self.finished:
            yield self.fragments.rest()

    @property
    def seq(self) -> int:
        """Only right once all parts were taken."""
        return self.fragments.seq


def row_of(context: Context, request: Request) -> SessionRow:
    """The session of the address, by its whole id; raises `HTTPException`."""
    name = request.path_params["session"]
    row = context.store.get(name)
    if row is None:
        raise HTTPException(404, "There is no such session.")
    return row


def conversation(context: Context, pages: Pages, request: Request) -> Response:
    """The page is sent while the store is read, so that its beginning is there at once."""
    row = row_of(context, request)
    mark = context.store.rolled_back(row.id)
    telling = Telling(context.store.events(row.id), row.state != "running")
    return pages.growing(
        "conversation.html", parts=markup(telling.parts()), telling=telling, mark=mark, **shown(row, "conversation")
    )


def head(context: Context, pages: Pages, request: Request) -> Response:
    """What stands above every page of the session, for a page whose session has come to another state."""
    row = row_of(context, request)
    tab = request.query_params.get("tab", "conversation")
    return pages.response("head.html", **shown(row, tab))


def cost(context: Context, pages: Pages, request: Request) -> Response:
    """Facts, figures and the timeline."""
    row = row_of(context, request)
    events = [*context.store.events(row.id)]
    costs, say = turn_costs(events), translator(context.language)
    tokens = tokens_plot(costs, say("prompt tokens sent"), say("evaluated"))
    speeds = speed_plot(costs, say("prompt"), say("reply"))
    return pages.response(
        "cost.html", facts=facts_of(row, events), figures=figures_of(row, events), timeline=marked(timeline(events)),
        tokens=marked(tokens),
        speeds=marked(speeds),
        **shown(row, "cost"),
    )  # fmt: skip


def diff_page(context: Context, pages: Pages, request: Request) -> Response:
    """What the session, or a turn of it, changed in the files."""
    row = row_of(context, request)
    given = request.query_params.get("turn", "")
    turn = int(given) if given.isdecimal() and 0 < len(given) < 7 else None
    with open_past(context.settings, row.id, Path(row.workspace)) as found:
        before, after = bounds(found, turn)
        text = diff(found.snapshots, before, after).decode("utf-8", "replace")
        turns, note = found.history.turns, known_turns(found.history)
    files = [marked_diff(part) for part in _by_file(text[:MOST_DIFF_CHARS])]
    return pages.response(
        "diff.html", files=[*markup(files)], turn=turn, turns=[t for t in turns if t], note=note,
        cut=len(text) > MOST_DIFF_CHARS, **shown(row, "diff"),
    )  # fmt: skip


def export(context: Context, _pages: Pages, request: Request) -> Response:
    """The one file that `show --html` writes."""
    row = row_of(context, request)
    text = page(row, context.store.events(row.id), Hide(secrets_of(context.settings), Path.home()))
    head = {"Content-Disposition": f'attachment; filename="{row.id}.html"'}
    return Response(text.encode("utf-8", "replace"), media_type="text/html; charset=utf-8", headers=head)


def shown(row: SessionRow, tab: str) -> dict[str, Any]:
    """What the head of every page of a session needs."""
    return {"row": row, "tab": tab, "standing": standing(row), "why": why(row), "title": first_line(row.task)}


def _by_file(text: str) -> Iterator[str]:
    part: list[str] = []
    for line in text.splitlines():
        if line.startswith("diff --git ") and part:
            yield "\n".join(part)
            part = []
        part.append(line)
    if part:
        yield "\n".join(part)
