"""`acp`, with the flags that an editor's configuration gives it."""

from typing import Annotated

import typer

from super_agent.cli.flags import LIMITS, TRUST_EACH, EnvFile, Flags, Python, with_settings


@with_settings(
    "model", "base_url", *LIMITS, "sandbox", "network", "approve", "trust_instructions", "mcp",
    max_turns="Turns of a first prompt.", max_time="Seconds of a first prompt.", max_tokens="Tokens of a first prompt.",
    sandbox="As for `run`.", trust_instructions=TRUST_EACH,
)  # fmt: skip
def acp(
    check: Annotated[
        str | None, typer.Option("--check", help="A command that passes when the work is done; `/check` sets another.")
    ] = None,
    solo: Annotated[bool, typer.Option("--solo", help="One agent, the executor, instead of the team.")] = False,
    python: Python = None,
    *,
    flags: Flags,
    strict_instance: Annotated[
        bool, typer.Option("--strict-instance", help="End a run when the model is reloaded or cut.")
    ] = False,
    env_file: EnvFile = None,
) -> None:
    """Serve an editor over standard input and output (Agent Client Protocol); the editor starts it."""
    from super_agent.acp import serve_acp

    raise typer.Exit(
        serve_acp.main(flags, env_file=env_file, check=check, solo=solo, python=python, strict_instance=strict_instance)
    )
