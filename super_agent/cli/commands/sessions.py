"""`sessions`: what was done here, and what of it may go."""

import re
import shutil
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from super_agent.cli.commands.ps import table
from super_agent.cli.say import say, say_json
from super_agent.core.errors import UsageError
from super_agent.core.sanitize import sanitize
from super_agent.core.settings import load_settings
from super_agent.core.snapshots.snapshots import forget
from super_agent.core.store.sessions import SessionRow
from super_agent.session.messages.run_messages import counted
from super_agent.session.session_lookup import TASK_CHARS, first_line, open_store

COLUMNS = ("ID", "WHEN", "STATE", "TURNS", "TOKENS", "FILES", "TASK")
UNITS_S = {"h": 3600, "d": 86400, "w": 7 * 86400}
MIN_TASK_CHARS = 20


def show_list(env_file: Path | None, workspace: Path, *, everywhere: bool, as_json: bool) -> int:
    """Print the sessions of a workspace, or all; raises `UsageError`, `StoreFailed`."""
    root = workspace.expanduser().resolve()
    with open_store(env_file) as store:
        rows = store.sessions(None if everywhere else root)
        elsewhere = 0 if everywhere or rows else len(store.sessions())
    if as_json:
        say_json({"version": 1, "sessions": [asdict(row) for row in rows]})
    elif rows:
        say(as_text(rows, everywhere=everywhere, columns=_columns()))
    else:
        where = "" if everywhere else f" in {root}"
        more = f"; {counted(elsewhere, 'session')} elsewhere: super-agent sessions --all" if elsewhere else ""
        say(f"no sessions yet{where}{more}\n")
    return 0


def as_text(rows: list[SessionRow], *, everywhere: bool, columns: int | None) -> str:
    """A table, newest first; the task is cut where the terminal has only so many columns."""
    head = (*COLUMNS[:-1], "WORKSPACE", "TASK") if everywhere else COLUMNS
    cells = [_cells(row, everywhere=everywhere) for row in rows]
    widths = [max(len(line[i]) for line in (head, *cells)) for i in range(len(head) - 1)]
    left = TASK_CHARS if columns is None else max(MIN_TASK_CHARS, columns - sum(widths) - 4 * len(widths))
    return table([head, *((*line[:-1], first_line(line[-1], left)) for line in cells)])


def remove(env_file: Path | None, names: list[str], *, as_json: bool) -> int:
    """Remove the named sessions, once all names are known to be right."""
    removed: list[str] = []
    with open_store(env_file) as store:
        for row in [store.find(name) for name in names]:
            store.remove(row.id)
            removed.append(row.id)
            if not as_json:
                say(f"removed {row.id}\n")
            forget(load_settings(env_file=env_file).state_dir, Path(row.workspace), [row.id])
    if as_json:
        say_json({"version": 1, "removed": removed})
    return 0


def prune(
    env_file: Path | None,
    workspace: Path,
    *,
    everywhere: bool,
    keep: int | None,
    older_than: str | None,
    as_json: bool,
) -> int:
    """Remove all but the newest, or what is older, or what is both."""
    if keep is None and older_than is None:
        raise UsageError("nothing says what may go", fix="Give --keep N, or --older-than 30d, or both")
    age_s = None if older_than is None else seconds(older_than)
    with open_store(env_file) as store:
        root = None if everywhere else workspace.expanduser().resolve()
        workspaces = {row.id: row.workspace for row in store.sessions(root)}
        removed = store.prune(root, older_than_s=age_s, keep=keep)
    state_dir = load_settings(env_file=env_file).state_dir
    for workspace_root in {workspaces[name] for name in removed if name in workspaces}:
        forget(state_dir, Path(workspace_root), [n for n in removed if workspaces.get(n) == workspace_root])
    if as_json:
        say_json({"version": 1, "removed": list(removed)})
    else:
        say("".join(f"removed {name}\n" for name in removed) or "nothing to remove\n")
    return 0


def seconds(text: str) -> float:
    """`30d` in seconds; raises `UsageError`."""
    match = re.fullmatch(r"(\d+)([hdw])", text)
    if match is None:
        raise UsageError(f"--older-than {text}: no age", fix="Say it as 12h, 30d or 8w")
    return float(int(match[1]) * UNITS_S[match[2]])


def _cells(row: SessionRow, *, everywhere: bool) -> tuple[str, ...]:
    when = datetime.fromtimestamp(row.started).astimezone()
    state = row.reason.replace("_", " ") if row.reason else row.state
    tokens = f"{row.prompt_tokens + row.completion_tokens:,}"
    cells = (row.id, f"{when:%Y-%m-%d %H:%M}", state, str(row.turns), tokens, str(len(row.files)))
    where = (sanitize(row.workspace),) if everywhere else ()
    return (*cells, *where, sanitize(row.task))


def _columns() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
