"""`mcp`, with the flags a user types."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from super_agent.cli.flags import BaseUrl, EnvFile, Mcp, Model, NetworkForCode, SandboxAsForRun, TrustEach

if TYPE_CHECKING:
    from super_agent.mcp.command import Address


def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="DIR", help="A folder it may work in; repeatable."),
    ] = None,
    http: Annotated[
        int | None,
        typer.Option("--http", metavar="PORT", help="Serve on 127.0.0.1:PORT instead; 0: any port."),
    ] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    max_turns: Annotated[str | None, typer.Option("--max-turns", metavar="N", help="Turns of each task.")] = None,
    max_time: Annotated[str | None, typer.Option("--max-time", metavar="SECONDS", help="Seconds of each task.")] = None,
    max_tokens: Annotated[str | None, typer.Option("--max-tokens", metavar="N", help="Tokens of each task.")] = None,
    sandbox: SandboxAsForRun = None,
    network: NetworkForCode = False,
    trust_instructions: TrustEach = False,
    mcp_: Mcp = None,
    json: Annotated[bool, typer.Option("--json", help="With --http: the address as one JSON object.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Offer the coding team to other agents as tools (MCP), over standard input and output."""
    from super_agent.cli.say import say, say_json
    from super_agent.mcp import command

    def announce(address: "Address") -> None:
        if json:
            say_json({"version": 1, "url": address.url, "token_file": str(address.token_file)})
        else:
            say(f"{address.url}\nthe token is in {address.token_file}\n")

    flags = {
        "model": model, "base_url": base_url, "max_turns": max_turns, "max_time_s": max_time, "max_tokens": max_tokens,
        "sandbox": sandbox, **({"network": True} if network else {}),
        **({"trust_instructions": True} if trust_instructions else {}), **({"mcp": tuple(mcp_)} if mcp_ else {}),
    }  # fmt: skip
    raise typer.Exit(command.main(command.Options(tuple(root or ()), http), flags, env_file, announce))
