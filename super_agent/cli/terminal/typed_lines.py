"""What was typed in conversations, for the arrow keys: kept with its session, and gone with it."""

import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History, InMemoryHistory

from super_agent.core.settings import Settings
from super_agent.core.state import SessionFolder

NAME = "typed"
MAX_LINES = 1000
"""As many as shells keep."""


def history_of(settings: Settings, session: SessionFolder) -> History:
    """Of earlier conversations and this one; of this one alone, in memory, where runs are not kept."""
    return InMemoryHistory() if settings.store == "off" else TypedLines(settings.state_dir, session.path / NAME)


class TypedLines(History):
    """One file a session, one line a line; `sessions rm` takes it away with the session's folder."""

    def __init__(self, state_dir: Path, own: Path) -> None:
        """Nothing is read yet; the file of one history for all, as earlier versions had it, goes."""
        super().__init__()
        self._sessions = state_dir / "sessions"
        self._own = own
        (state_dir / "exec_history").unlink(missing_ok=True)

    def load_history_strings(self) -> Iterable[str]:
        """Newest first, at most MAX_LINES."""
        lines: list[str] = []
        for path in sorted(self._sessions.glob(f"*/{NAME}"), reverse=True):  # session ids sort by time
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # removed meanwhile
            lines.extend(reversed(text.splitlines()))
            if len(lines) >= MAX_LINES:
                break
        return lines[:MAX_LINES]

    def store_string(self, string: str) -> None:
        """Keep one line, for the user alone to read; a failing disk costs the arrow keys a line, nothing else."""
        line = " ".join(string.splitlines()) + "\n"
        try:
            with open(self._own, "ab", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
                file.write(line.encode("utf-8", "replace"))
        except OSError:
            return
