"""What is read of a session."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from super_agent.core.store.session_lock import is_held

SessionStatus = Literal["running", "ended", "broken off"]

SELECT = """SELECT id, started, mode, workspace, task, model, base_url, turns, files, ended, reason, exit_code, detail,
    (SELECT coalesce(sum(prompt_tokens), 0) FROM usage WHERE session = id),
    (SELECT coalesce(sum(completion_tokens), 0) FROM usage WHERE session = id) FROM sessions"""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. `ended`, `reason` and `exit_code` are None where it has no end; times are seconds since the epoch.

    Tokens are what was spent, turns that were rolled back included.
    """

    id: str
    started: float
    mode: str
    workspace: str
    task: str
    model: str
    base_url: str
    state: SessionStatus
    turns: int
    files: tuple[str, ...]
    ended: float | None
    reason: str | None
    exit_code: int | None
    detail: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run's state after a turn; `seq` is its last event, `state` the text that was handed over."""

    turn: int
    state: str
    seq: int


def session_row(values: tuple[Any, ...], folder: Path) -> SessionRow:
    """From a row of `SELECT`, whose columns are in the fields' order; `folder` is where the session's lock lies."""
    *before, turns, files, ended, reason, exit_code, detail, into, out = values
    state: SessionStatus = "ended" if reason is not None else "running" if is_held(folder) else "broken off"
    own: list[Any] = [
        *before,
        state,
        turns,
        tuple(json.loads(files)),
        ended,
        reason,
        exit_code,
        detail or "",
        into,
        out,
    ]
    return SessionRow(*own)
