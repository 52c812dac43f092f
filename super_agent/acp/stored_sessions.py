"""The sessions of our store as the editor lists and shows them, whichever door began them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from acp.schema import ListSessionsResponse, SessionInfo

from super_agent.core.errors import SessionUnknown, UsageError
from super_agent.core.events import RunResumed, RunStarted
from super_agent.core.settings import Settings
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.session.session_lookup import CONVERSATION, first_line

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A stored session: what it was asked to do, and how it was checked last."""

    row: SessionRow
    check: str | None
    mode: Literal["team", "solo"]


def listed(settings: Settings, workspace: Path | None, cursor: str | None) -> ListSessionsResponse:
    """A page of them, newest first; `cursor` is the id before it. Raises `UsageError`, `StoreFailed`."""
    with Store.open(settings.state_dir) as store:
        rows = [row for row in store.sessions(workspace) if row.task != CONVERSATION]
    if cursor is not None:
        at = next((number for number, row in enumerate(rows) if row.id == cursor), None)
        if at is None:
            raise UsageError(f"the cursor {cursor!r} is none of ours", fix="Leave it out to begin with the newest")
        rows = rows[at + 1 :]
    page = rows[:AT_ONCE]
    return ListSessionsResponse(
        sessions=[_info(row) for row in page], next_cursor=page[-1].id if len(rows) > AT_ONCE else None
    )


def found(store: Store, session: str) -> StoredSession:
    """Raises `SessionUnknown` unless it is the whole id of one that a run can go on with."""
    row = store.find(session)
    if row.id != session or row.task == CONVERSATION:
        raise SessionUnknown(f"there is no session {session!r} to go on with", fix="See super-agent sessions --all")
    check = None
    for stamped in store.events(session):
        if isinstance(stamped.event, RunStarted | RunResumed):
            check = stamped.event.check
    return StoredSession(row, check, "team" if row.mode == "team" else "solo")


def _info(row: SessionRow) -> SessionInfo:
    last = datetime.fromtimestamp(row.ended or row.started, UTC)
    return SessionInfo(
        session_id=row.id, cwd=row.workspace, title=first_line(row.task), updated_at=last.isoformat(timespec="seconds")
    )
