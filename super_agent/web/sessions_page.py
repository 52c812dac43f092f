"""The list of sessions: those under way first, then what the filters leave of all."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.store.sessions import SessionRow
from super_agent.session.choice import first_line
from super_agent.session.narrate.wording import END
from super_agent.web.context import Context
from super_agent.web.rendering import Pages

A_PAGE = 100
STATES = ("running", "done", "not done", "broken off")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the form said; empty is all. `words` must all be in the task, the id or the workspace."""

    words: str = ""
    state: str = ""
    workspace: str = ""

    def let(self, row: SessionRow) -> bool:
        """Whether a session is shown."""
        text = f"{row.id} {row.workspace} {row.task}".casefold()
        return (
            all(word in text for word in self.words.casefold().split())
            and self.state in ("", standing(row))
            and self.workspace in ("", row.workspace)
        )


def standing(row: SessionRow) -> str:
    """One of STATES."""
    if row.state != "ended":
        return row.state
    return "done" if row.exit_code == 0 else "not done"


def why(row: SessionRow) -> str:
    """How it stands, in a few words."""
    return next((text for reason, text in END.items() if reason == row.reason), row.reason or row.state)


def show(context: Context, pages: Pages, request: Request) -> Response:
    """`q`, `state`, `workspace` and `from` say what is shown."""
    query = request.query_params
    filters = Filters(query.get("q", ""), query.get("state", ""), query.get("workspace", ""))
    rows = context.store.sessions()
    found = [row for row in rows if filters.let(row)]
    first = int(query["from"]) if query.get("from", "").isdecimal() and len(query["from"]) < 9 else 0
    return pages.response(
        "sessions.html",
        running=[row for row in rows if row.state == "running"],
        rows=found[first : first + A_PAGE],
        before=max(first - A_PAGE, 0) if first else None,
        after=first + A_PAGE if len(found) > first + A_PAGE else None,
        count=len(found),
        filters=filters,
        states=STATES,
        workspaces=sorted({row.workspace for row in rows}),
        standing=standing,
        why=why,
        first_line=first_line,
    )
