"""One server from its socket to its end."""

import errno
import html
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from super_agent.core.errors import UsageError
from super_agent.core.settings import Settings, language
from super_agent.core.state import private_folder, write_durably
from super_agent.core.store.store import Store
from super_agent.web.access_control import Doorkeeper, hosts_of
from super_agent.web.background_verify import Verification
from super_agent.web.login_pages import link
from super_agent.web.routes import build_app
from super_agent.web.server_context import ServerContext
from super_agent.web.server_options import LOOPBACK, WebOptions
from super_agent.web.session_feeds import Feeds

FOLDER, PATH_FILE, OPEN_FILE = "web", "path", "open.html"
BACKLOG = 128
LET_GO_S = 1
"""For pages that follow something when the server ends; they never end by themselves."""


def serve(options: WebOptions, settings: Settings, say: Callable[[str], None], complain: Callable[[str], None]) -> int:
    """Serve until a signal; returns the exit code."""
    folder = private_folder(settings.state_dir, FOLDER)
    with Store.open(settings.state_dir) as store, _listening(options) as listening:
        port = listening.getsockname()[1]
        context = _context(options, settings, store, folder, port)
        name = f"[{options.host}]" if ":" in options.host else options.host
        address = link(context, f"{name}:{port}")
        _announce(options, context, address, say, complain)
        server = uvicorn.Server(_config(options, context))
        opened = folder / OPEN_FILE
        try:
            if options.open:
                _open(address, opened)
            with suppress(KeyboardInterrupt):  # the way to end it
                server.run(sockets=[listening])
        finally:
            opened.unlink(missing_ok=True)
    return 0


def _context(options: WebOptions, settings: Settings, store: Store, folder: Path, port: int) -> ServerContext:
    scheme = "https" if options.certificate is not None else "http"
    names = {options.host, "localhost"} if options.host in (LOOPBACK, "localhost") else {options.host}
    names |= {LOOPBACK} if options.host == "localhost" else set()
    return ServerContext(
        settings=settings,
        store=store,
        feeds=Feeds(store, settings.state_dir / "sessions"),
        keeper=Doorkeeper(f"/s/{_path_secret(folder)}/"),
        verification=Verification(settings),
        hosts=hosts_of(names, port, scheme),
        scheme="https" if scheme == "https" else "http",
        language=language(settings),
        read_only=options.read_only,
        roots=options.roots,
        flags=options.flags,
        env_file=options.env_file,
    )


def _path_secret(folder: Path) -> str:
    """The same for every server of this user, so that a link to a session lasts where the port does."""
    path = folder / PATH_FILE
    try:
        known = path.read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        known = ""
    if len(known) < 16 or not known.isalnum():
        known = secrets.token_hex(8)
        write_durably(path, known.encode())
    return known


def _listening(options: WebOptions) -> socket.socket:
    """Raises `UsageError` where the address cannot be had."""
    host = LOOPBACK if options.host == "localhost" else options.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, options.port))
        listening.listen(BACKLOG)  # before the link is told, so that nobody comes too early
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRNOTAVAIL:
            what = f"--host {host} is no address of this machine"
            raise UsageError(what, fix="Give one that `ip address` shows") from error
        raise UsageError(
            f"{options.host} port {options.port} cannot be used: {error.strerror}", fix="Name another with --port"
        ) from error
    return listening


def _config(options: WebOptions, context: ServerContext) -> uvicorn.Config:
    certificate, key = options.certificate, options.key
    return uvicorn.Config(
        build_app(context), http="h11", ws="none", loop="asyncio", lifespan="off", interface="asgi3",
        log_level="critical", access_log=False, proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=LET_GO_S, ssl_certfile=certificate, ssl_keyfile=str(key) if key else None,
    )  # fmt: skip


def _announce(
    options: WebOptions,
    context: ServerContext,
    address: str,
    say: Callable[[str], None],
    complain: Callable[[str], None],
) -> None:
    if not options.is_loopback:
        what = "and can do all that you can do here" if not options.read_only else "and can see all that is kept here"
        complain(f"--host {options.host}: whoever on that network has the link gets in, {what}")
        if context.scheme == "http":
            complain("--insecure: the link, the cookie and all that is shown can be read on the way")
    say(f"{address}\n")
    say("The link lets one browser in, once. Ctrl-C ends the page; runs go on.\n")


def _open(address: str, path: Path) -> None:
    """Through a private file: a command line is readable for every user of the machine, and the link is a key."""
    import webbrowser

    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is webbrowser.GenericBrowser:  # one that would take the terminal
            return
        there = f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">'
        with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(f'<!doctype html><meta charset="utf-8">{there}')
        browser.open(path.as_uri())
