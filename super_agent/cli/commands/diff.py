"""`diff`: what a session, or a turn of it, changed in the workspace's files."""

import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from super_agent.cli.render.capabilities import colours
from super_agent.cli.render.output import Output, lead_nowhere, output_failed
from super_agent.cli.say import complain, say_json
from super_agent.core.sanitize import sanitize
from super_agent.core.snapshots.history import changes, diff
from super_agent.session.session_history import bounds, history_of

COLOURS = {"+": "32", "-": "31", "@": "36"}
HEADS = (
    "diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "old mode", "new mode", "rename ", "similarity ",
)  # fmt: skip
NAMED = 5


def main(
    session: str | None, turn: int | None, workspace: Path, env_file: Path | None, *, stat: bool, as_json: bool
) -> int:
    """Print the difference; raises `UsageError`, `SnapshotFailed`."""
    with history_of(session, workspace, env_file) as found:
        before, after = bounds(found, turn)
        if as_json:
            facts = asdict(changes(found.snapshots, before, after))
            head = {"version": 1, "session": found.session.session, "turn": turn}
            say_json(head | facts)
            return 0
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
        text = diff(found.snapshots, before, after, stat=stat, columns=columns)
        left_out = sorted({*found.snapshots.note(before).left_out, *found.snapshots.note(after).left_out})
    _write(text)
    if left_out:
        more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        names = ", ".join(sanitize(_shown(path)) for path in left_out[:NAMED])
        complain(f"not compared, as too large or unreadable: {names}{more}")
    return 0


def _write(text: bytes) -> None:
    """To a terminal in colours and harmless; else byte for byte, so that `git apply` can take it."""
    if sys.stdout.isatty():
        shown = text.decode("utf-8", "replace")
        Output(sys.stdout, lambda: None).write(coloured(shown) if colours(sys.stdout) else sanitize(shown))
        return
    try:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        lead_nowhere(sys.stdout)
    except OSError as error:
        raise output_failed(sys.stdout, error) from error


def coloured(text: str) -> str:
    """A diff or its statistics with the colours that git would give it, and nothing else that steers a terminal."""
    lines = []
    inside = False
    for line in sanitize(text).split("\n"):
        inside = line.startswith("@@") or (inside and not line.startswith("diff --git "))
        colour = COLOURS.get(line[:1]) if inside else "1" if line.startswith(HEADS) else None
        lines.append(f"\x1b[{colour}m{line}\x1b[m" if colour else line)
    return "\n".join(lines)


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
