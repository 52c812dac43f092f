"""`batch` and `batch apply`, with the flags a user types."""

import os
import re
import shlex
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from super_agent.cli.flags import LIMITS, TRUST_EACH, EnvFile, Flags, Json, with_settings
from super_agent.cli.say import say, say_json
from super_agent.core.errors import ExitCode, UsageError

TASKS = "tasks"
HOST_ALONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
AN_ADDRESS = re.compile(r"auto|local|ray://.*|.*:\d+")


class _TasksFirst(TyperGroup):
    """`batch FILE …` is `batch tasks FILE …`, and so is `batch --help`; the word `tasks` is seen nowhere."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = [TASKS, *_with_address(args)]
        return super().parse_args(ctx, args)


def _with_address(args: list[str]) -> list[str]:
    """`--ray` alone is `--ray local`; what follows it is an address where it looks like one."""
    found: list[str] = []
    for argument, following in pairwise([*args, ""]):
        found.append(argument)
        if argument == "--ray" and not AN_ADDRESS.fullmatch(following):
            _refuse_host_alone(following, args)
            found.append("local")
    return found


def _refuse_host_alone(word: str, args: list[str]) -> None:
    """A host without a port would be read as a second file of tasks."""
    others = [argument for argument in args if argument != word]
    is_host = HOST_ALONE.fullmatch(word) and not word.endswith(".jsonl") and not Path(word).exists()
    if is_host and any(Path(other).exists() for other in others):
        raise UsageError(f"--ray {word} has no port", fix=f"Give it, such as --ray {word}:6379")


class _Tasks(TyperCommand):
    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.parent.command_path, " ".join(self.collect_usage_pieces(ctx)))


batch = typer.Typer(
    cls=_TasksFirst,
    help="Many tasks: `batch TASKS.jsonl` runs each in a fresh copy of its workspace; `batch apply` takes a result.",
)


@batch.command(
    name=TASKS,
    cls=_Tasks,
    hidden=True,
    help="Run all tasks of a file, each in a fresh copy of its workspace; the same command goes on after whatever "
    "ended it. `super-agent batch apply DIR ID` takes a result.",
)
@with_settings(
    "model", "base_url", *LIMITS, "sandbox", "network", "trust_instructions", "mcp",
    max_turns="Turns of each run.", max_time="Seconds of each run.", max_tokens="Tokens of each run.",
    sandbox="As for `run`.", trust_instructions=TRUST_EACH,
)  # fmt: skip
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
    *,
    flags: Flags,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="[ADDRESS]", help="On a Ray cluster; without an address on a local one."),
    ] = None,
    any_model: Annotated[
        bool, typer.Option("--any-model", help="Take nodes whose model is another one than this machine's.")
    ] = False,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """See the decorator: this text is not shown."""
    from super_agent.batch import run_batch

    options = run_batch.BatchOptions(tasks, out, parallel, until_failures, time, repos, html, yes, json, ray, any_model)
    raise typer.Exit(run_batch.main(options, flags, env_file))


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
    from super_agent.batch.apply_patch import find_patch

    if json and not yes:
        raise UsageError("with --json nobody is asked", fix="Say --yes to apply it without asking")
    found = find_patch(folder, name, workspace)
    if not json:
        say(found.text or f"{name} changed nothing\n")
    if found.patch is not None and not yes and not _confirmed(f"Apply this to {found.workspace}? [y/N] "):
        say("nothing was changed\n")
        raise typer.Exit(int(ExitCode.NOT_DONE))
    paths = found.apply()
    if json:
        say_json({"version": 1, "id": name, "workspace": str(found.workspace), "changed": paths})
    elif found.patch is not None:
        # In a folder below a repository's own, git apply would skip every file without a word.
        back = f"`GIT_DIR={os.devnull} git apply -R {shlex.quote(str(found.patch.absolute()))}` there takes it back"
        say(f"applied to {found.workspace}: {', '.join(paths)} ({back})\n")


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether to apply this", fix="Say --yes to apply it without a question")
    say(question)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "s", "sim")


@with_settings("model", "base_url")
def node(
    address: Annotated[
        str | None, typer.Option("--address", metavar="HOST:PORT", help="The head's; without it this is the head.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of the head.")] = 6379,  # Ray's own default
    expect: Annotated[
        str | None,
        typer.Option("--expect", metavar="DIGEST:CONTEXT:VERSION", help="What the head told; else refused."),
    ] = None,
    any_model: Annotated[bool, typer.Option("--any-model", help="Join whatever the model here.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Print the command without running anything.")] = False,
    more: Annotated[list[str] | None, typer.Argument(help="Further options of `ray start`, after --.")] = None,
    *,
    flags: Flags,
    json: Annotated[bool, typer.Option("--json", help="JSON objects, one a line, instead of text.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Make this machine a node for `batch --ray`: its model made ready and checked, then `ray start`."""
    from super_agent.cli.commands import node as command

    ask = command.NodeArguments(address, port, expect, any_model, print_, json, tuple(more or ()))
    raise typer.Exit(command.main(ask, flags, env_file))
