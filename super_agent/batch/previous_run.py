"""How an earlier process left a task's run, asked of the session store; and what is left of it on disk."""

import shutil
import time
from pathlib import Path
from typing import Literal

from super_agent.batch.event_tally import Tally
from super_agent.batch.workspace_copies import remove_folder
from super_agent.core.errors import SnapshotFailed
from super_agent.core.events import to_json
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.history import History
from super_agent.core.snapshots.snapshots import Snapshots, repository
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store

PreviousRun = Literal["nothing", "resumable", "ended"]
FREED_S = 10.0
"""A run that was killed a moment ago holds its session until the kernel has taken it down."""


def newest_session(store: Store, workspace: Path, since: float) -> SessionRow | None:
    """The newest session in a copy that began at `since` (seconds since the epoch) or later."""
    rows = [row for row in store.sessions(workspace) if row.started >= since - 1]
    return rows[0] if rows else None


def previous_run(store: Store, workspace: Path, since: float) -> tuple[PreviousRun, SessionRow | None]:
    """Whether a run in this copy can be gone on with, or has ended by itself and only its result was not kept."""
    until = time.monotonic() + FREED_S
    row = newest_session(store, workspace, since)
    while row is not None and row.state == "running" and time.monotonic() < until:
        time.sleep(0.05)
        row = newest_session(store, workspace, since)
    if row is None:
        return "nothing", None
    if row.state == "ended" and row.reason not in ("error", "interrupted"):
        return "ended", row
    return ("resumable" if store.last_checkpoint(row.id) is not None else "nothing"), row


def tally_of(store: Store, session: str) -> Tally:
    """The same as was read from the run while it ran."""
    tally = Tally()
    for stamped in store.events(session):
        event = to_json(stamped)
        if event["type"] in ("run_started", "run_resumed", "request_finished", "run_ended"):
            tally.take(event)
    return tally


def patch_of(state_dir: Path, workspace: Path, session: str) -> bytes:
    """What the session changed, as `git apply` takes it, binary files included; raises `SnapshotFailed`."""
    with Workspace(workspace) as opened, Snapshots.open(state_dir, opened) as snapshots:
        history = History.of(snapshots, session)
        if not history.run:
            raise SnapshotFailed(f"session {session} has no snapshots")
        how = ("-r", "-p", "-M", "--binary", "--full-index", "--no-ext-diff", "--no-textconv")
        return snapshots.git.run("diff-tree", *how, history.first, history.last)


def discard(state_dir: Path, folder: Path, workspace: Path) -> None:
    """Remove a task's copy and its snapshots, which nobody can go back to without it; raises OSError."""
    shadow = repository(state_dir, workspace.resolve())
    shutil.rmtree(shadow, ignore_errors=True)
    shadow.with_suffix(".lock").unlink(missing_ok=True)
    remove_folder(folder)
