"""Writes one session's events: collected as they come, stored in one transaction a turn (a long turn in several)."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from super_agent.core.closing import Closing
from super_agent.core.errors import SuperAgentError
from super_agent.core.events import (
    Event,
    FilesChanged,
    FileWritten,
    OutputStreamed,
    RequestFinished,
    RunEnded,
    Stamped,
    TextStreamed,
    TurnStarted,
    event_type,
    own_fields,
)
from super_agent.core.store.blob_store import BlobStore
from super_agent.core.store.codec import to_text
from super_agent.core.store.database import Database
from super_agent.core.store.session_lock import SessionLock

INSERT_EVENT = "INSERT INTO events (session, seq, turn, time, type, data) VALUES (?, ?, ?, ?, ?, ?)"
ADD_USAGE = """INSERT INTO usage VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + 1,
    prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens"""
MOST = 2**53
MOST_PENDING, MOST_PENDING_CHARS = 500, 1 << 16
"""Events, and characters of streamed text, that are collected before they are stored in the middle of a turn."""


@dataclass(slots=True)
class Position:
    """Where a session stands: its last kept event, its turns, the files it changed."""

    seq: int
    turn: int
    files: set[str]


class Recorder(Closing):
    """A `Sink` of one session that this process holds until `close`.

    After a failure (`StoreFailed`, raised once) it takes events and drops them: what was stored before is whole.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, lock: SessionLock, session: str, position: Position
    ) -> None:
        self.session = session
        self._database = database
        self._blobs = blobs
        self._session_lock = lock
        self._position = position
        self._pending: list[Stamped] = []
        self._pieces: list[str] = []
        self._pending_chars = 0
        self._lock = threading.RLock()
        self._failed = False

    @property
    def seq(self) -> int:
        """The number of the last event taken; an event stream that goes on counts from here."""
        return self._position.seq

    @property
    def turn(self) -> int:
        """The number of the last turn that began."""
        return self._position.turn

    def __call__(self, stamped: Stamped) -> None:
        """Take one event; a turn's beginning and the run's end store what came before. Raises `StoreFailed`."""
        with self._lock:
            if self._failed:
                return
            if isinstance(stamped.event, TurnStarted):
                self.flush()
            self._position.seq, self._position.turn = stamped.seq, stamped.turn
            self._add(stamped)
            if isinstance(stamped.event, RunEnded) or self._is_much():
                self.flush()

    def checkpoint(self, turn: int, state: str) -> None:
        """Store the run's state after `turn`, with all events up to now, in one transaction. Raises `StoreFailed`."""
        with self._lock:
            if not self._failed:
                self._store((turn, state))

    def unstored(self) -> list[Stamped]:
        """What has come and is not stored yet, oldest first."""
        with self._lock:
            self._join_pieces()
            return [*self._pending]

    def flush(self) -> None:
        """Store what has come up to now. Raises `StoreFailed`."""
        with self._lock:
            if self._pending and not self._failed:
                self._store(None)

    def close(self) -> None:
        """Store what is left and let go of the session; idempotent. Raises `StoreFailed`."""
        try:
            self.flush()
        finally:
            self._session_lock.close()

    def _add(self, stamped: Stamped) -> None:
        """Pieces of one text that follow one another become one event, as a reader cannot tell them apart."""
        event = stamped.event
        if isinstance(event, TextStreamed | OutputStreamed):
            self._pending_chars += len(event.text)
            if self._pending and continues(self._pending[-1].event, event):
                self._pieces.append(event.text)
                return
        self._join_pieces()
        self._pending.append(stamped)

    def _is_much(self) -> bool:
        return len(self._pending) >= MOST_PENDING or self._pending_chars >= MOST_PENDING_CHARS

    def _join_pieces(self) -> None:
        if self._pieces:
            last = self._pending[-1]
            if isinstance(last.event, TextStreamed | OutputStreamed):
                whole = replace(last.event, text=last.event.text + "".join(self._pieces))
                self._pending[-1] = replace(last, event=whole)
            self._pieces = []

    def _store(self, checkpoint: tuple[int, str] | None) -> None:
        self._join_pieces()
        events, self._pending, self._pending_chars = self._pending, [], 0
        try:
            with self._database.writing():
                self._write(events)
                if checkpoint is not None:
                    self._write_checkpoint(*checkpoint)
        except SuperAgentError:
            self._failed = True
            raise

    def _write(self, events: Sequence[Stamped]) -> None:
        session, large = self.session, set[str]()
        rows = []
        for stamped in events:
            fields, names = self._blobs.take_out(own_fields(stamped.event) | stamped.unknown)
            large.update(names)
            kind = event_type(stamped.event)
            rows.append((session, stamped.seq, stamped.turn, stamped.time, kind, to_text(fields)))
        self._database.execute_many(INSERT_EVENT, rows)
        self._need(large)
        for stamped in events:
            self._summarise(stamped)
        self._database.execute(
            "UPDATE sessions SET turns = max(turns, ?), files = ? WHERE id = ?",
            (self._position.turn, to_list(self._position.files), session),
        )

    def _summarise(self, stamped: Stamped) -> None:
        """What is read without reading all events."""
        session, event = self.session, stamped.event
        self._position.files.update(changed_paths(event))
        if isinstance(event, TurnStarted):
            turn = (session, event.number, stamped.time, stamped.seq)
            self._database.execute("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?)", turn)
        elif isinstance(event, RequestFinished):
            tokens = (_countable(event.prompt_tokens), _countable(event.completion_tokens))
            self._database.execute(ADD_USAGE, (session, event.client, *tokens))
        elif isinstance(event, RunEnded):
            self._position.files = set(event.files_changed)
            self._database.execute(
                "UPDATE sessions SET ended = ?, reason = ?, exit_code = ?, detail = ? WHERE id = ?",
                (stamped.time, event.reason, _countable(event.exit_code), storable(event.detail), session),
            )

    def _write_checkpoint(self, turn: int, state: str) -> None:
        """In place of the one before, and inside of the database: a file for each turn's state would stay behind."""
        self._database.execute(
            "INSERT OR REPLACE INTO last_checkpoints VALUES (?, ?, ?, ?, ?)",
            (self.session, turn, self._position.seq, time.time(), to_text({"state": state})),
        )

    def _need(self, names: set[str]) -> None:
        self._database.execute_many("INSERT OR IGNORE INTO texts VALUES (?, ?)", [(n, self.session) for n in names])


def continues(last: Event, event: TextStreamed | OutputStreamed) -> bool:
    """Whether both are pieces of one text."""
    return isinstance(last, TextStreamed | OutputStreamed) and _source(last) == _source(event)


def _source(event: TextStreamed | OutputStreamed) -> tuple[str, bool] | None:
    """Whose text a piece is a part of; None is running code's."""
    return (event.speaker, event.reasoning) if isinstance(event, TextStreamed) else None


def changed_paths(event: Event) -> tuple[str, ...]:
    """The workspace paths that an event says were changed."""
    if isinstance(event, FileWritten):
        return (event.path,)
    return (*event.created, *event.modified, *event.deleted) if isinstance(event, FilesChanged) else ()


def _countable(number: int) -> int:
    """A number from elsewhere, so small that a thousand of them can be summed in SQLite's 64 bits."""
    return max(-MOST, min(number, MOST))


def to_list(files: set[str]) -> str:
    """Sorted, as a JSON list."""
    return json.dumps(sorted(files))


def storable(text: str) -> str:
    """Text for a column of its own: half a surrogate pair, which no database takes, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
