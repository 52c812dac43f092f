"""The SQLite file: opened privately, brought to today's schema, written in whole transactions.

A failure of SQLite leaves this module as one line that says what to do; nothing else imports sqlite3.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from super_agent.core.errors import StoreFailed, StoreUnusable
from super_agent.core.store.schema import MIGRATIONS

BUSY_TIMEOUT_MS = 10_000
"""Another run's transaction takes milliseconds (benchmarks/store.py); ten seconds is a machine in trouble."""
WITHOUT = "or work without the store: --no-store"


class Database:
    """One connection; every method may be called from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises `StoreUnusable`."""
        self.path = path
        self._lock = threading.RLock()
        try:
            # Made private before SQLite opens it: its -wal and -shm files take over the mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise StoreUnusable(
                f"the session store {path}: {error.strerror}", fix=f"Make it writable for you, {WITHOUT}"
            ) from error
        with _translated(path, StoreUnusable):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            with _translated(path, StoreUnusable):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is kept, or nothing; raises `StoreFailed`."""
        with self._lock, _translated(self.path), self._transaction():
            yield

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """One statement, inside `writing`."""
        self._connection.execute(sql, values)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each row, inside `writing`."""
        self._connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; raises `StoreFailed`."""
        with self._lock, _translated(self.path):
            return self._connection.execute(sql, values).fetchall()

    def shrink(self) -> None:
        """Give back to the disk what removed rows took; raises `StoreFailed`."""
        with self._lock, _translated(self.path):
            # `execute` would take one step, which frees one page: the statement has no columns to fetch.
            self._connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Idempotent; the last one to close empties the -wal file."""
        self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        version = self._version()
        if version == 0:  # heeded only while there is no table yet; later it would write, also where one only reads
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise StoreUnusable(
                f"the session store {self.path} lies on a disk where SQLite cannot share it",
                fix=f"Set SUPER_AGENT_STATE_DIR to a folder of a local disk, {WITHOUT}",
            )
        connection.execute("PRAGMA synchronous = FULL")
        if version < len(MIGRATIONS):
            self._migrate()

    def _migrate(self) -> None:
        with self._transaction():
            # Read again under the lock: another run may have done it meanwhile.
            for number, statements in enumerate(MIGRATIONS[self._version() :], self._version() + 1):
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def _version(self) -> int:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreUnusable(
                f"the session store {self.path} was written by a newer super-agent "
                f"(schema {version}, this one knows {len(MIGRATIONS)})",
                fix=f"Get a newer super-agent, set SUPER_AGENT_STATE_DIR to another folder, {WITHOUT}",
            )
        return version


def _what_to_do(error: sqlite3.Error, path: Path) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"It is damaged: move it away (mv {path} {path}.damaged) to begin a new one, {WITHOUT}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"Make the folder {path.parent} writable for you, {WITHOUT}"
    if name.startswith("SQLITE_FULL"):
        return f"Make room on the disk (super-agent sessions prune), {WITHOUT}"
    if name.startswith("SQLITE_IOERR"):
        return f"See whether the disk is full or failing (super-agent sessions prune makes room), {WITHOUT}"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"Another program keeps it locked: end that one, {WITHOUT}"
    return f"Move it away to begin a new one, {WITHOUT}"


@contextmanager
def _translated(path: Path, kind: type[StoreFailed] | type[StoreUnusable] = StoreFailed) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise kind(f"the session store {path}: {error}", fix=_what_to_do(error, path)) from error
    except OSError as error:
        raise kind(
            f"the session store {path}: {error.strerror or error}", fix=f"Make room on the disk, {WITHOUT}"
        ) from error
