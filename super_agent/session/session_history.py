"""A session's snapshots, opened for the commands that look at them or bring them back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.errors import UsageError
from super_agent.core.files.workspace import Workspace
from super_agent.core.settings import Settings, load_settings
from super_agent.core.snapshots.history import History
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.state import SessionFolder
from super_agent.core.store.store import Store
from super_agent.session.protected_folders import protected_folders
from super_agent.session.session_lookup import find_session


@dataclass(frozen=True, slots=True)
class SessionHistory:
    """A session and what is kept of its files."""

    session: SessionFolder
    snapshots: Snapshots
    history: History


@contextmanager
def history_of(
    session: str | None, workspace: Path, env_file: Path | None, *, hold: bool = False
) -> Iterator[SessionHistory]:
    """As `open_history`, with the settings of that file."""
    with open_history(load_settings(env_file=env_file), session, workspace, hold=hold) as found:
        yield found


@contextmanager
def open_history(
    settings: Settings, session: str | None, workspace: Path, *, hold: bool = False
) -> Iterator[SessionHistory]:
    """Open it, and `hold` the session where it is to be changed; raises `UsageError`, `SnapshotFailed`."""
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(settings.state_dir))
        row = find_session(store, session, workspace)
        if hold:
            stack.enter_context(store.hold(row.id))
        folder = stack.enter_context(Workspace(Path(row.workspace), protected=protected_folders(settings)))
        snapshots = stack.enter_context(Snapshots.open(settings.state_dir, folder))
        history = History.of(snapshots, row.id)
        if not history.run:
            raise UsageError(
                f"session {row.id} has no snapshots of its files",
                fix="It ran without them, or ended before its first; see super-agent sessions for others",
            )
        yield SessionHistory(SessionFolder(settings.state_dir, row.id), snapshots, history)


def bounds(found: SessionHistory, turn: int | None) -> tuple[str, str]:
    """The commits around a turn, or around all of the session; raises `UsageError`."""
    if turn is None:
        return found.history.first, found.history.last
    around = found.history.of_turn(turn)
    if around is None:
        raise UsageError(
            f"session {found.session.session} has no snapshots around turn {turn}", fix=known_turns(found.history)
        )
    return around


def known_turns(history: History) -> str:
    """Which turns can be named, for an error's advice."""
    turns = history.turns
    return f"It has turns {turns[0]} to {turns[-1]}" if turns else "It was ended before its first turn"
