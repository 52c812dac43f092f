"""What the tools read and take back of sessions: only of those that worked in an allowed folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.errors import SessionUnknown, UsageError
from super_agent.core.sanitize import printable_path
from super_agent.core.snapshots.history import diff
from super_agent.core.snapshots.undo import carry_out
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.mcp.allowed_folders import Roots
from super_agent.mcp.stored_results import session_info, task_result
from super_agent.mcp.tool_schemas import DiffResult, FileChange, SessionList, TaskResult, UndoRequest, UndoResult, plain
from super_agent.session.session_history import SessionHistory, bounds, history_of
from super_agent.session.session_lookup import open_store
from super_agent.session.undo import redo_of, undo_of


@dataclass(frozen=True, slots=True)
class AllowedSessions:
    """The session store as far as `roots` reach; each call opens and closes it, in any thread."""

    roots: Roots
    env_file: Path | None

    @contextmanager
    def session(self, name: str) -> Iterator[tuple[Store, SessionRow]]:
        """A session by its id or the beginning of it. Raises `SessionUnknown` for those of foreign folders, too."""
        with open_store(self.env_file) as store:
            found = [row for row in self._rows(store) if row.id.startswith(name)]
            if not found:
                raise SessionUnknown(f"no session of an allowed folder begins with {name!r}", fix="List the sessions")
            if len(found) > 1 and all(row.id != name for row in found):
                raise SessionUnknown(f"{len(found)} sessions begin with {name!r}", fix="Give more of the id")
            yield store, next((row for row in found if row.id == name), found[0])

    def _rows(self, store: Store, workspace: Path | None = None) -> list[SessionRow]:
        return [row for row in store.sessions(workspace) if self.roots.allow(Path(row.workspace))]

    def result(self, name: str, notes: list[str], max_diff_chars: int) -> TaskResult:
        """All that is kept of a run, with the beginning of its diff."""
        with self.session(name) as (store, row):
            result = task_result(store, row, notes)
        if result.outcome != "running" and max_diff_chars:
            try:
                part = self.diff(row.id, None, 0, max_diff_chars)
            except UsageError as error:  # it ran without snapshots, or ended before the first
                result.notes.append(plain(str(error)))
            else:
                result.diff, result.diff_is_cut = part.diff, part.next_offset is not None
        return result

    def list(self, workspace: Path | None, limit: int) -> SessionList:
        """Newest first."""
        with open_store(self.env_file) as store:
            rows = self._rows(store, workspace)
        return SessionList(sessions=[session_info(row) for row in rows[:limit]], left_out=max(0, len(rows) - limit))

    def diff(self, name: str, turn: int | None, offset: int, max_chars: int) -> DiffResult:
        """A part of the diff, cut at a line's end where that is possible."""
        with self._past(name) as found:
            text = plain(diff(found.snapshots, *bounds(found, turn)).decode("utf-8", "replace"))
            part = text[offset : offset + max_chars]
            if offset + len(part) < len(text) and "\n" in part:
                part = part[: part.rindex("\n") + 1]
            end = offset + len(part)
            rest = end if end < len(text) else None
            session = found.session.session
        return DiffResult(session=session, turn=turn, diff=part, total_chars=len(text), next_offset=rest)

    def undo(self, request: UndoRequest) -> UndoResult:
        """Take it back; raises `SessionHeld` while the run is under way."""
        if request.redo and request.to_turn is not None:
            raise UsageError("both redo and to_turn were given", fix="Give one of them")
        with self._past(request.session, hold=True) as found:
            files = [os.fspath(path) for path in request.files]
            judged = redo_of(found, files) if request.redo else undo_of(found, to_turn=request.to_turn, files=files)
            steps = judged.steps if request.force else judged.steps.own
            if steps.steps:
                carry_out(found.snapshots, found.session.session, judged, steps)
            kept = [] if request.force else [printable_path(step.path) for step in judged.foreign.steps]
            changed = [FileChange(path=printable_path(step.path), action=step.kind) for step in steps.steps]
            session = found.session.session
        again = "undo with redo true takes this back" if changed and not request.redo else ""
        return UndoResult(session=session, changed=changed, kept=kept, next=again)

    @contextmanager
    def _past(self, name: str, *, hold: bool = False) -> Iterator[SessionHistory]:
        with self.session(name) as (_store, row):
            session, workspace = row.id, Path(row.workspace)
        with history_of(session, workspace, self.env_file, hold=hold) as found:
            if not self.roots.allow(found.snapshots.workspace.root):  # it has become a link that leads elsewhere
                raise SessionUnknown(f"the folder of session {session} is not allowed any more", fix="See its link")
            yield found
