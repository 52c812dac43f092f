"""`show`: a session as it was seen, as its events, or as one page to send to somebody."""

import os
import sys
from pathlib import Path

from super_agent.cli.render.choice import choose_renderer
from super_agent.cli.say import say
from super_agent.core.errors import UsageError
from super_agent.core.settings import Settings, load_settings
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.session.session_lookup import find_session, open_store


def main(session: str | None, workspace: Path, html: Path | None, env_file: Path | None, *, as_json: bool) -> int:
    """Print a session, or write its page; raises `UsageError`, `StoreFailed`."""
    if html is not None and as_json:
        raise UsageError("--json and --html were given", fix="Give one of them")
    with open_store(env_file) as store:
        row = find_session(store, session, workspace)
        if html is not None:
            _write_page(store, row, html, load_settings(env_file=env_file))
        else:
            _print(store, row, as_json=as_json)
    return 0


def _print(store: Store, row: SessionRow, *, as_json: bool) -> None:
    gone: list[bool] = []
    renderer = choose_renderer(as_json, sys.stdout, lambda: gone.append(True), afterwards=True)
    for stamped in store.events(row.id):
        renderer(stamped)
        if gone:
            return
    renderer.close()
    if row.state != "ended" and not as_json:
        word = "is still running" if row.state == "running" else "was broken off"
        say(f"\n(session {row.id} {word}; what is shown ends with its last stored turn)\n")


def _write_page(store: Store, row: SessionRow, path: Path, settings: Settings) -> None:
    from super_agent.session.html_report.page import page
    from super_agent.session.html_report.redaction import Redactor, secrets_of

    text = page(row, store.events(row.id), Redactor(secrets_of(settings), Path.home()))
    data = text.encode("utf-8", "replace")
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        # Private like the store it comes from; whom it is shown to is the user's choice.
        with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", fix="Name another file") from error
    say(f"wrote {path} ({len(data):,} bytes)\n")
