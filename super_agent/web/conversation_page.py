"""One session: the conversation as it grows, and what stands above each of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.events import Stamped
from super_agent.core.store.sessions import SessionRow
from super_agent.session.messages.translation import translator_for
from super_agent.session.session_lookup import first_line
from super_agent.web.event_fragments import Fragments
from super_agent.web.page_templates import PageTemplates, markup
from super_agent.web.server_context import ServerContext
from super_agent.web.session_filters import standing, why


@dataclass(slots=True)
class GrowingConversation:
    """A session's story, made while it is sent; afterwards `seq` is where a page goes on from."""

    events: Iterator[Stamped]
    finished: bool
    fragments: Fragments

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


def row_of(context: ServerContext, request: Request) -> SessionRow:
    """The session of the address, by its whole id; raises `HTTPException`."""
    name = request.path_params["session"]
    row = context.store.get(name)
    if row is None:
        raise HTTPException(404, "There is no such session.")
    return row


def conversation(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """The page is sent while the store is read, so that its beginning is there at once."""
    row = row_of(context, request)
    mark = context.store.rolled_back(row.id)
    fragments = Fragments(translator_for(context.language))
    telling = GrowingConversation(context.store.events(row.id), row.state != "running", fragments)
    return pages.growing(
        "conversation.html", parts=markup(telling.parts()), telling=telling, mark=mark, **shown(row, "conversation")
    )


def head(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """What stands above every page of the session, for a page whose session has come to another state."""
    row = row_of(context, request)
    tab = request.query_params.get("tab", "conversation")
    return pages.response("head.html", **shown(row, tab))


def shown(row: SessionRow, tab: str) -> dict[str, Any]:
    """What the head of every page of a session needs."""
    return {"row": row, "tab": tab, "standing": standing(row), "why": why(row), "title": first_line(row.task)}
