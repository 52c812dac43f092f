"""`acp`, with the flags that an editor's configuration gives it."""

from pathlib import Path
from typing import Annotated

import typer


def acp(
    check: Annotated[
        str | None, typer.Option("--check", help="A command that passes when the work is done; `/check` sets another.")
    ] = None,
    solo: Annotated[bool, typer.Option("--solo", help="One agent, the executor, instead of the team.")] = False,
    python: Annotated[Path | None, typer.Option("--python", help="The Python that is used in the sandbox.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="The model that serves both halves.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="The Ollama server.")] = None,
    max_turns: Annotated[str | None, typer.Option("--max-turns", metavar="N", help="Turns of a first prompt.")] = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="SECONDS", help="Seconds of a first prompt.")
    ] = None,
    max_tokens: Annotated[
        str | None, typer.Option("--max-tokens", metavar="N", help="Tokens of a first prompt.")
    ] = None,
    sandbox: Annotated[str | None, typer.Option("--sandbox", help="As for `run`.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Give the code the network.")] = False,
    approve: Annotated[
        str | None, typer.Option("--approve", help="Ask before code runs: never, risky or always.", metavar="WHEN")
    ] = None,
    trust_instructions: Annotated[
        bool, typer.Option("--trust-instructions", help="Show each workspace's AGENTS.md to the models.")
    ] = False,
    mcp: Annotated[
        list[str] | None, typer.Option("--mcp", metavar="NAME", help="Tools of a server in your mcp.json; repeatable.")
    ] = None,
    strict_instance: Annotated[
        bool, typer.Option("--strict-instance", help="End a run when the model is reloaded or cut.")
    ] = False,
    env_file: Annotated[Path | None, typer.Option("--env-file", help="Read settings from this .env file.")] = None,
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
