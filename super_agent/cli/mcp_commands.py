"""`mcp`, with the flags a user types."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from super_agent.cli.flags import LIMITS, TRUST_EACH, EnvFile, Flags, with_settings

if TYPE_CHECKING:
    from super_agent.mcp.serve_mcp import Address


@with_settings(
    "model", "base_url", *LIMITS, "sandbox", "network", "trust_instructions", "mcp",
    max_turns="Turns of each task.", max_time="Seconds of each task.", max_tokens="Tokens of each task.",
    sandbox="As for `run`.", trust_instructions=TRUST_EACH,
)  # fmt: skip
def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="DIR", help="A folder it may work in; repeatable."),
    ] = None,
    http: Annotated[
        int | None,
        typer.Option("--http", metavar="PORT", help="Serve on 127.0.0.1:PORT instead; 0: any port."),
    ] = None,
    *,
    flags: Flags,
    json: Annotated[bool, typer.Option("--json", help="With --http: the address as one JSON object.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Offer the coding team to other agents as tools (MCP), over standard input and output."""
    from super_agent.cli.say import say, say_json
    from super_agent.mcp import serve_mcp

    def announce(address: "Address") -> None:
        if json:
            say_json({"version": 1, "url": address.url, "token_file": str(address.token_file)})
        else:
            say(f"{address.url}\nthe token is in {address.token_file}\n")

    raise typer.Exit(serve_mcp.main(serve_mcp.McpOptions(tuple(root or ()), http), flags, env_file, announce))
