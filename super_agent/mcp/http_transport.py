"""The tools over streamable HTTP: this machine only, with a token; what a web page could send is refused."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from super_agent.core.errors import SettingInvalid, UsageError
from super_agent.core.state import private_folder, write_durably
from super_agent.mcp.run_jobs import STOP_S, Jobs

HOST = "127.0.0.1"
PATH = "/mcp"
TOKEN_FILE = "mcp-token"  # noqa: S105 - where it lies
TOKEN_BYTES = 32

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def kept_token(state_dir: Path) -> tuple[str, Path]:
    """The token of this user, made once, and its file, which only they can read. Raises `SettingInvalid`."""
    path = private_folder(state_dir) / TOKEN_FILE
    fresh = path.with_name(f"{TOKEN_FILE}-{secrets.token_hex(4)}")
    try:
        if not path.exists():
            write_durably(fresh, secrets.token_urlsafe(TOKEN_BYTES).encode() + b"\n")
            with suppress(FileExistsError):  # another server of this user was a moment quicker
                os.link(fresh, path)
            fresh.unlink()
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"the token {path}: {error}", fix="Remove it, and a new one is made") from error
    if len(token) < TOKEN_BYTES:
        raise SettingInvalid(f"the token {path} has {len(token)} characters", fix="Remove it, and a new one is made")
    return token, path


def listen(port: int) -> socket.socket:
    """A socket of this machine only; 0 is any free port. Raises `UsageError`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen()
    except (OSError, OverflowError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) else "no port has this number"
        raise UsageError(f"--http {port}: {reason}", fix="Choose another port, or 0 for a free one") from error
    return sock


async def serve(server: MCPServer, jobs: Jobs, sock: socket.socket, token: str) -> None:
    """Until SIGINT or SIGTERM, which end what runs, too."""
    port = sock.getsockname()[1]
    names = [f"{HOST}:{port}", f"localhost:{port}"]
    security = TransportSecuritySettings(allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names])
    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=security, host=HOST)
    config = uvicorn.Config(
        with_token(app, token),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=int(STOP_S),
    )
    await _Server(config, jobs).serve(sockets=[sock])


def with_token(app: App, token: str) -> App:
    """The app for those who send `Authorization: Bearer TOKEN`; for all others 401."""
    expected = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) == 1 and secrets.compare_digest(given[0], expected):
            await app(scope, receive, send)
            return
        headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return guarded


class _Server(uvicorn.Server):
    """Ends the runs as soon as it is to end: their calls are answered then, and nothing is waited for."""

    def __init__(self, config: uvicorn.Config, jobs: Jobs) -> None:
        super().__init__(config)
        self._jobs = jobs

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Of a signal."""
        self._jobs.cancel()
        super().handle_exit(sig, frame)
