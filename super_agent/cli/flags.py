"""Flags that several commands have, so that each says the same of them everywhere; most of them are settings."""

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

EnvFile = Annotated[Path | None, typer.Option("--env-file", help="Read settings from this .env file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")]
WorkspaceDir = Annotated[Path, typer.Option("--workspace", "-w", help="The folder to work in.")]
Python = Annotated[Path | None, typer.Option("--python", help="The Python that is used in the sandbox.")]

LIMITS = ("max_turns", "max_time", "max_tokens")
METAVARS = {"max_time": "SECONDS", "members": "NAMES", "approve": "WHEN", "mcp": "NAME"} | dict.fromkeys(
    ("max_turns", "max_tokens", "attempts"), "N"
)
HELP = {
    "model": "The model that serves both halves (DEFAULT_MODEL).",
    "base_url": "The Ollama server (OLLAMA_BASE_URL).",
    "max_turns": "Turns before the run gives up.",
    "max_time": "Seconds before the run gives up.",
    "max_tokens": "Tokens of the whole run.",
    "attempts": "First replies to try, before the best is mended.",
    "members": "Who is in the team: planner,coder,reviewer.",
    "sandbox": "bubblewrap, docker or podman; or none: your own rights, no protection.",
    "network": "Give the code the network, servers on this machine included.",
    "approve": "Ask before code runs: never, risky or always.",
    "trust_instructions": "Show the workspace's AGENTS.md to the models without a question.",
    "mcp": "Tools of a server in your mcp.json; repeatable.",
    "no_snapshots": "Keep no snapshots: no diff, no undo.",
    "no_store": "Do not keep this run in the session store.",
}
SWITCHES: Mapping[str, Mapping[str, object]] = {
    "network": {"network": True},
    "trust_instructions": {"trust_instructions": True},
    "no_snapshots": {"snapshots": "off"},
    "no_store": {"store": "off"},
}
TRUST_EACH = "Show each workspace's AGENTS.md to the models."

Flags = dict[str, Any]
"""What the user gave of these flags, by the names of the settings' fields."""


def with_settings(*names: str, **texts: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these flags where it has its parameter `flags`, which takes what the user gave of them.

    `texts` say what some of them do in this command. Numbers come as text, so that the settings can name flag, value
    and what is allowed in one line.
    """
    own = [_parameter(name, texts.get(name, HELP[name])) for name in names]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def call(**given: Any) -> None:
            command(flags=_settings({name: given.pop(name) for name in names}), **given)

        signature = inspect.signature(command)
        parameters = [p for one in signature.parameters.values() for p in (own if one.name == "flags" else [one])]
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return call

    return decorate


def _parameter(name: str, text: str) -> inspect.Parameter:
    kind = bool if name in SWITCHES else list[str] | None if name == "mcp" else str | None
    default = False if name in SWITCHES else None
    option = typer.Option(default, "--" + name.replace("_", "-"), help=text, metavar=METAVARS.get(name))
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=option)


def _settings(given: Mapping[str, Any]) -> Flags:
    found: Flags = {}
    for name, value in given.items():
        if value and name in SWITCHES:
            found |= SWITCHES[name]
        elif value is not None and name not in SWITCHES:
            found["max_time_s" if name == "max_time" else name] = tuple(value) if name == "mcp" else value
    return found
