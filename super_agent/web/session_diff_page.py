"""What a session changed in the files, whole or by turn."""

from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from super_agent.core.snapshots.history import diff
from super_agent.session.html_report.html_elements import diff as marked_diff
from super_agent.session.session_history import bounds, known_turns, open_history
from super_agent.web.conversation_page import row_of, shown
from super_agent.web.page_templates import PageTemplates, markup
from super_agent.web.request_parameters import MOST_TURNS, whole_number
from super_agent.web.server_context import ServerContext

MOST_DIFF_CHARS = 2_000_000
"""Of a diff in a page; browsers grow slow with more."""


def diff_page(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """What the session, or a turn of it, changed in the files."""
    row = row_of(context, request)
    turn = whole_number(request.query_params, "turn", 0, MOST_TURNS)
    with open_history(context.settings, row.id, Path(row.workspace)) as found:
        before, after = bounds(found, turn)
        text = diff(found.snapshots, before, after).decode("utf-8", "replace")
        turns, note = found.history.turns, known_turns(found.history)
    files = [marked_diff(part) for part in _by_file(text[:MOST_DIFF_CHARS])]
    return pages.response(
        "diff.html", files=[*markup(files)], turn=turn, turns=[t for t in turns if t], note=note,
        cut=len(text) > MOST_DIFF_CHARS, **shown(row, "diff"),
    )  # fmt: skip


def _by_file(text: str) -> Iterator[str]:
    part: list[str] = []
    for line in text.splitlines():
        if line.startswith("diff --git ") and part:
            yield "\n".join(part)
            part = []
        part.append(line)
    if part:
        yield "\n".join(part)
