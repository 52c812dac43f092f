"""`acp`, with the flags that an editor's configuration gives it."""

from pathlib import Path
from typing import Annotated

import typer

from super_agent.cli.flags import BaseUrl, EnvFile, Mcp, Model, NetworkForCode, SandboxAsForRun, TrustEach


def acp(
    check: Annotated[
        str | None, typer.Option("--check", help="A command that passes when the work is done; `/check` sets another.")
    ] = None,
    solo: Annotated[bool, typer.Option("--solo", help="One agent, the executor, instead of the team.")] = False,
    python: Annotated[Path | None, typer.Option("--python", help="The Python that is used in the sandbox.")] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    max_turns: Annotated[str | None, typer.Option("--max-turns", metavar="N", help="Turns of a first prompt.")] = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="SECONDS", help="Seconds of a first prompt.")
    ] = None,
    max_tokens: Annotated[
        str | None, typer.Option("--max-tokens", metavar="N", help="Tokens of a first prompt.")
    ] = None,
    sandbox: SandboxAsForRun = None,
    network: NetworkForCode = False,
    approve: Annotated[
        str | None, typer.Option("--approve", help="Ask before code runs: never, risky or always.", metavar="WHEN")
    ] = None,
    trust_instructions: TrustEach = False,
    mcp: Mcp = None,
    strict_instance: Annotated[
        bool, typer.Option("--strict-instance", help="End a run when the model is reloaded or cut.")
    ] = False,
    env_file: EnvFile = None,
) -> None:
    """Serve an editor over standard input and output (Agent Client Protocol); the editor starts it."""
    from super_agent.acp import command

    flags = {
        "model": model, "base_url": base_url, "max_turns": max_turns, "max_time_s": max_time, "max_tokens": max_tokens,
        "sandbox": sandbox, "approve": approve, **({"network": True} if network else {}),
        **({"mcp": tuple(mcp)} if mcp else {}),
        **({"trust_instructions": True} if trust_instructions else {}),
    }  # fmt: skip
    raise typer.Exit(
        command.main(flags, env_file=env_file, check=check, solo=solo, python=python, strict_instance=strict_instance)
    )
