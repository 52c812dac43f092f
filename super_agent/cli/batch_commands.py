"""`batch` and `batch apply`, with the flags a user types."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

TASKS = "tasks"


class _TasksFirst(TyperGroup):
    """`batch FILE …` is `batch tasks FILE …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [TASKS, *args]
        return super().parse_args(ctx, args)


EnvFile = Annotated[Path | None, typer.Option("--env-file", help="Read settings from this .env file.")]

batch = typer.Typer(
    cls=_TasksFirst,
    help="Many tasks: `batch TASKS.jsonl` runs each in a fresh copy of its workspace; `batch apply` takes a result.",
)


@batch.command(name=TASKS, help="Run all tasks of a file; the same command goes on after whatever ended it.")
def tasks_(
    tasks: Annotated[
        str, typer.Argument(metavar="TASKS", help="JSON lines, `-`, or a folder of folders with a task.md each.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where results go. [default: TASKS.batch]")
    ] = None,
    parallel: Annotated[
        str | None, typer.Option("--parallel", metavar="N", help="Runs at once. [default: the server's slots]")
    ] = None,
    until_failures: Annotated[
        str | None, typer.Option("--until-failures", metavar="N", help="End after N tasks were not done.")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="LIMIT", help="End after 90s, 30m, 8h or 2d.")] = None,
    repos: Annotated[
        Path | None, typer.Option("--repos", metavar="DIR", help="Clones of SWE-bench's owner/name, by that name.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the results as a page.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run the tasks' setup commands without a question.")] = False,
    model: Annotated[str | None, typer.Option("--model", help="The model that serves both halves.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="The Ollama server.")] = None,
    max_turns: Annotated[str | None, typer.Option("--max-turns", metavar="N", help="Turns of each run.")] = None,
    max_time: Annotated[str | None, typer.Option("--max-time", metavar="SECONDS", help="Seconds of each run.")] = None,
    max_tokens: Annotated[str | None, typer.Option("--max-tokens", metavar="N", help="Tokens of each run.")] = None,
    sandbox: Annotated[str | None, typer.Option("--sandbox", help="As for `run`.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Give the code the network.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")] = False,
    env_file: EnvFile = None,
) -> None:
    """See the decorator: this text is not shown."""
    from super_agent.batch import command

    options = command.Options(tasks, out, parallel, until_failures, time, repos, html, yes, json)
    flags = {
        "model": model, "base_url": base_url, "max_turns": max_turns, "max_time_s": max_time, "max_tokens": max_tokens,
        "sandbox": sandbox, **({"network": True} if network else {}),
    }  # fmt: skip
    raise typer.Exit(command.main(options, flags, env_file))


@batch.command()
def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The batch's folder.")],
    name: Annotated[str, typer.Argument(metavar="ID", help="The task's id.")],
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The folder to change. [default: the task's own]")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text; needs --yes.")] = False,
) -> None:
    """Show the patch of a task, and apply it to the task's own folder."""
    from super_agent.batch import apply as command

    raise typer.Exit(command.main(folder, name, workspace, yes=yes, as_json=json))
