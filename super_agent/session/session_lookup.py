"""Which session a command means: the one named, or the last of this workspace."""

from pathlib import Path

from super_agent.core.errors import SessionUnknown, SuperAgentError
from super_agent.core.settings import load_settings
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.core.text import cut

TASK_CHARS = 60
CONVERSATION = "(a conversation)"
"""In place of a task, where sessions are listed: of a conversation in the terminal, with which no run can go on."""


def open_store(env_file: Path | None) -> Store:
    """The store of the settings' state folder; raises `UsageError`."""
    return Store.open(load_settings(env_file=env_file).state_dir)


def find_session(store: Store, session: str | None, workspace: Path) -> SessionRow:
    """Raises `SessionUnknown` where there is none, or more than one."""
    if session is not None:
        return store.find(session)
    rows = store.sessions(workspace.expanduser().resolve())
    if not rows:
        raise SessionUnknown(f"no session worked in {workspace.resolve()}", fix="See super-agent sessions --all")
    return rows[0]


def completions(incomplete: str) -> list[tuple[str, str]]:
    """Session ids that begin so, newest first, with their tasks; for the shell."""
    try:
        with open_store(None) as store:
            rows = store.sessions()
    except SuperAgentError:
        return []  # a shell that completes has no place for an error; the command itself will say it
    return [(row.id, first_line(row.task)) for row in rows if row.id.startswith(incomplete)]


def first_line(text: str, chars: int = TASK_CHARS) -> str:
    """The first line that says something, cut."""
    return cut(next((" ".join(line.split()) for line in text.splitlines() if line.strip()), ""), chars)
