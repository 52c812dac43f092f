"""The store as the rest of the program uses it: begin and go on with sessions, find and read them, remove them."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from super_agent.core.closing import Closing
from super_agent.core.errors import SessionHeld, SessionUnknown, StoreFailed
from super_agent.core.events import RunStarted, Stamped
from super_agent.core.state import private_folder
from super_agent.core.store.blob_store import BlobStore
from super_agent.core.store.codec import event_of
from super_agent.core.store.database import Database
from super_agent.core.store.recorder import Position, Recorder, changed_paths, storable, to_list
from super_agent.core.store.session_lock import SessionLock
from super_agent.core.store.sessions import SELECT, Checkpoint, SessionRow, session_row

FILE = "sessions.db"
EVENTS_AT_ONCE = 500


class Store(Closing):
    """All sessions of one state folder; made by `open`, closed by its owner."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self._database = database
        self._folder = state_dir / "sessions"
        self._blobs = BlobStore(state_dir / "texts")

    @classmethod
    def open(cls, state_dir: Path) -> "Store":
        """Open or make the store; raises `SettingInvalid` (the folder) or `StoreUnusable` (the file)."""
        return cls(Database(private_folder(state_dir) / FILE), state_dir)

    def close(self) -> None:
        """Idempotent."""
        self._database.close()

    # ── writing ──

    def begin(self, session: str, facts: RunStarted) -> Recorder:
        """A new session, held by this process. Raises `StoreFailed`."""
        lock = self.hold(session)
        values = (session, time.time(), facts.mode, facts.workspace, facts.task, facts.model, facts.base_url)
        try:
            with self._database.writing():
                self._database.execute(
                    "INSERT INTO sessions (id, started, mode, workspace, task, model, base_url)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [storable(value) if isinstance(value, str) else value for value in values],
                )
        except BaseException:
            lock.close()
            raise
        return Recorder(self._database, self._blobs, lock, session, Position(0, 0, set()))

    def continue_session(self, session: str) -> Recorder:
        """Go on after the last checkpoint: later events are marked as rolled back, and the session has no end again.

        Raises `SessionHeld`, `SessionUnknown`, `StoreFailed`.
        """
        session = self.find(session).id
        lock = self.hold(session)
        try:
            checkpoint = self.last_checkpoint(session)
            seq, turn = (checkpoint.seq, checkpoint.turn) if checkpoint else (0, 0)
            with self._database.writing():
                later = (session, seq)
                self._database.execute("UPDATE events SET rolled_back = 1 WHERE session = ? AND seq > ?", later)
                self._database.execute("DELETE FROM turns WHERE session = ? AND seq > ?", later)
                files = self._files(session)
                self._database.execute(
                    "UPDATE sessions SET turns = ?, files = ?, ended = NULL, reason = NULL, exit_code = NULL,"
                    " detail = NULL WHERE id = ?",
                    (turn, to_list(files), session),
                )
        except BaseException:
            lock.close()
            raise
        return Recorder(self._database, self._blobs, lock, session, Position(seq, turn, files))

    def hold(self, session: str) -> SessionLock:
        """Keep every other process from working on the session until closed; raises `SessionHeld`."""
        return SessionLock(private_folder(self._folder) / session, session)

    # ── reading ──

    def sessions(self, workspace: Path | None = None) -> list[SessionRow]:
        """Newest first; of one workspace where it is given. Raises `StoreFailed`."""
        where, values = (" WHERE workspace = ?", (storable(str(workspace)),)) if workspace is not None else ("", ())
        return self._rows(f"{SELECT}{where} ORDER BY started DESC, id DESC", values)

    def get(self, session: str) -> SessionRow | None:
        """The session of that very id. Raises `StoreFailed`."""
        rows = self._rows(f"{SELECT} WHERE id = ?", (storable(session),))
        return rows[0] if rows else None

    def find(self, text: str) -> SessionRow:
        """The session whose id begins so; raises `SessionUnknown` where none or several do."""
        rows = self._rows(f"{SELECT} WHERE substr(id, 1, ?) = ? ORDER BY id", (len(text), storable(text)))
        exact = [row for row in rows if row.id == text]
        if not text or not rows:
            raise SessionUnknown(
                f"no session has an id that begins with {text!r}", fix="See super-agent sessions --all"
            )
        if len(rows) > 1 and not exact:
            some = ", ".join(row.id for row in rows[:3]) + (", …" if len(rows) > 3 else "")
            raise SessionUnknown(f"{len(rows)} sessions begin with {text!r}: {some}", fix="Give more of the id")
        return (exact or rows)[0]

    def events(self, session: str, after: int = 0) -> Iterator[Stamped]:
        """The events of a session after the one of that number, in their order, without those that were rolled back.

        Raises `StoreFailed`.
        """
        while True:
            rows = self._database.rows(
                "SELECT seq, turn, time, type, data FROM events WHERE session = ? AND seq > ? AND NOT rolled_back"
                " ORDER BY seq LIMIT ?",
                (session, after, EVENTS_AT_ONCE),
            )
            for seq, turn, moment, name, data in rows:
                event, unknown = event_of(name, self._blobs.put_back(json.loads(data)))
                yield Stamped(session, turn, seq, moment, event, unknown)
            if len(rows) < EVENTS_AT_ONCE:
                return
            after = rows[-1][0]

    def last_seq(self, session: str) -> int:
        """The number of the last event that is stored; 0 where none is. Raises `StoreFailed`."""
        sql = "SELECT max(seq) FROM events WHERE session = ? AND NOT rolled_back"
        return self._database.rows(sql, (session,))[0][0] or 0

    def recent(self, name: str, most: int, among: int) -> list[Stamped]:
        """The last `most` events of that type of any session, oldest first, among the last `among` of all.

        Without the bound a type that is seldom would have the whole store read. Raises `StoreFailed`.
        """
        rows = self._database.rows(
            "SELECT session, turn, seq, time, data FROM events WHERE type = ? AND NOT rolled_back"
            " AND position > (SELECT max(position) FROM events) - ? ORDER BY position DESC LIMIT ?",
            (name, among, most),
        )
        found = []
        for session, turn, seq, moment, data in reversed(rows):
            event, unknown = event_of(name, self._blobs.put_back(json.loads(data)))
            found.append(Stamped(session, turn, seq, moment, event, unknown))
        return found

    def version(self) -> int:
        """A number that changes when another process has written; costs next to nothing. Raises `StoreFailed`."""
        return int(self._database.rows("PRAGMA data_version")[0][0])

    def rolled_back(self, session: str) -> int:
        """A number that changes whenever events of the session are rolled back. Raises `StoreFailed`."""
        found = self._database.rows("SELECT max(position) FROM events WHERE session = ? AND rolled_back", (session,))
        return found[0][0] or 0

    def last_checkpoint(self, session: str) -> Checkpoint | None:
        """The newest state of a session; None where no turn was completed. Raises `StoreFailed`."""
        rows = self._database.rows("SELECT turn, seq, state FROM last_checkpoints WHERE session = ?", (session,))
        for turn, seq, state in rows:
            return Checkpoint(turn, self._blobs.put_back(json.loads(state))["state"], seq)
        return None

    # ── removing ──

    def remove(self, session: str) -> None:
        """Forget a session: its rows, its folder, and large texts that nobody else needs.

        Raises `SessionHeld`, `StoreFailed`.
        """
        with self.hold(session):
            with self._database.writing():
                self._database.execute("DELETE FROM sessions WHERE id = ?", (session,))
            # In a transaction, as runs keep large texts inside of one: none comes between the look and the removal.
            with self._database.writing():
                self._blobs.keep_only({name for (name,) in self._database.rows("SELECT sha256 FROM texts")})
            try:
                shutil.rmtree(self._folder / session)
            except OSError as error:
                raise StoreFailed(
                    f"{self._folder / session} cannot be removed: {error.strerror}", fix="Remove it by hand"
                ) from error
        self._database.shrink()

    def prune(
        self, workspace: Path | None = None, *, older_than_s: float | None = None, keep: int | None = None
    ) -> tuple[str, ...]:
        """Remove sessions that began longer ago, or that are not among the newest `keep`; returns their ids.

        Where both are given, a session must meet both. One that is held stays. Without a workspace, folders of that
        age which belong to no session (of runs without the store) go too.
        """
        began_before = None if older_than_s is None else time.time() - older_than_s
        rows = self.sessions(workspace)[keep or 0 :]
        names = [row.id for row in rows if began_before is None or row.started < began_before]
        if workspace is None and began_before is not None:
            known = {name for (name,) in self._database.rows("SELECT id FROM sessions")}
            folders = self._folder.iterdir() if self._folder.is_dir() else ()
            names += [p.name for p in folders if p.name not in known and p.stat().st_mtime < began_before]
        return tuple(name for name in names if self._removed(name))

    def _removed(self, session: str) -> bool:
        try:
            self.remove(session)
        except SessionHeld:
            return False
        return True

    def _rows(self, sql: str, values: Sequence[object]) -> list[SessionRow]:
        return [session_row(row, self._folder / row[0]) for row in self._database.rows(sql, values)]

    def _files(self, session: str) -> set[str]:
        rows = self._database.rows(
            "SELECT type, data FROM events WHERE session = ? AND NOT rolled_back"
            " AND type IN ('file_written', 'files_changed')",
            (session,),
        )
        found: set[str] = set()
        for kind, data in rows:
            event, _ = event_of(kind, json.loads(data))
            found.update(changed_paths(event))
        return found
