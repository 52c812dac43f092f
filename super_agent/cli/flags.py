"""Flags that several commands have, so that each says the same of them everywhere."""

from pathlib import Path
from typing import Annotated

import typer

EnvFile = Annotated[Path | None, typer.Option("--env-file", help="Read settings from this .env file.")]
Model = Annotated[str | None, typer.Option("--model", help="The model that serves both halves.")]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="The Ollama server.")]
SandboxAsForRun = Annotated[str | None, typer.Option("--sandbox", help="As for `run`.")]
NetworkForCode = Annotated[bool, typer.Option("--network", help="Give the code the network.")]
TrustEach = Annotated[bool, typer.Option("--trust-instructions", help="Show each workspace's AGENTS.md to the models.")]
Mcp = Annotated[
    list[str] | None, typer.Option("--mcp", metavar="NAME", help="Tools of a server in your mcp.json; repeatable.")
]
