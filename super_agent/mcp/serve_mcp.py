"""`mcp`: open the door and serve until the client goes, or until a signal."""

import asyncio
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent.core.errors import ExitCode, UsageError
from super_agent.core.settings import load_settings
from super_agent.mcp.allowed_folders import Roots
from super_agent.tools.listed import require_listed


@dataclass(frozen=True, slots=True)
class McpOptions:
    """What the command line said. `http` is a port, 0 a free one, None standard input and output."""

    roots: tuple[Path, ...]
    http: int | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server over HTTP is reached."""

    url: str
    token_file: Path


def main(options: McpOptions, flags: dict[str, Any], env_file: Path | None, announce: Callable[[Address], None]) -> int:
    """Returns the exit code; `announce` is told where the server listens. Raises `UsageError` before it does."""
    roots = Roots.of(options.roots)
    settings = load_settings(flags, env_file=env_file)
    if settings.store == "off":
        raise UsageError("the session store is off, and results are kept in it", fix="Set SUPER_AGENT_STORE=on")
    if importlib.util.find_spec("mcp") is None:
        raise UsageError("the package mcp is not installed", fix="Install it: pip install 'super-agent[mcp]'")
    require_listed(settings)
    from super_agent.mcp.tool_registration import build_server
    from super_agent.mcp.tools import Tools

    tools = Tools(roots, flags, env_file)
    server = build_server(tools)
    if options.http is None:
        from super_agent.mcp import stdio_transport

        return int(asyncio.run(stdio_transport.serve(server, tools.jobs)))
    from super_agent.mcp import http_transport

    with http_transport.listen(options.http) as sock:
        token, token_file = http_transport.kept_token(settings.state_dir)
        announce(Address(f"http://{http_transport.HOST}:{sock.getsockname()[1]}{http_transport.PATH}", token_file))
        asyncio.run(http_transport.serve(server, tools.jobs, sock, token))
    return int(ExitCode.OK)
