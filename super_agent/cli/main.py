"""The command line. Commands import what they need when they run, so that `--help` stays quick."""

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from super_agent import __version__
from super_agent.cli import acp_command, batch_commands, mcp_commands, session_commands, web_commands
from super_agent.cli.commands.task_arguments import TaskCommand
from super_agent.cli.flags import LIMITS, EnvFile, Flags, Json, Python, WorkspaceDir, with_settings
from super_agent.cli.render.output import lead_nowhere, output_failed
from super_agent.cli.say import complain
from super_agent.core.errors import ExitCode, PlatformUnsupported, SuperAgentError
from super_agent.core.standard_streams import open_missing

app = typer.Typer(
    name="super-agent",
    help="A local coding team: AutoGen thinks, Open Interpreter acts, one Ollama model instance serves both.",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Task = Annotated[str | None, typer.Argument(help="What is to be done; `-` or nothing reads standard input.")]
TaskFile = Annotated[Path | None, typer.Option("--file", "-f", help="Read the task from a file.")]
CheckCommand = Annotated[str | None, typer.Option("--check", help="A command that passes when the work is done.")]
SetupCommand = Annotated[
    str | None, typer.Option("--setup", help="Run once first, in the sandbox but with the network; asks before.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before --setup.")]
Strict = Annotated[
    bool, typer.Option("--strict-instance", help="End the run (exit 3) when the model is reloaded or cut.")
]
SERVER = ("model", "base_url")
PROTECTION = ("sandbox", "network", "approve", "trust_instructions", "mcp")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Options that stand before a command."""
    if version:
        typer.echo(f"super-agent {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(int(ExitCode.USAGE))


@app.command(cls=TaskCommand)
@with_settings(*SERVER, *LIMITS, "attempts", "members", *PROTECTION, "no_store", "no_snapshots")
def run(
    task: Task = None,
    file: TaskFile = None,
    workspace: WorkspaceDir = Path(),
    check: CheckCommand = None,
    setup: SetupCommand = None,
    yes: Yes = False,
    solo: Annotated[bool, typer.Option("--solo", help="One agent, the executor, instead of the team.")] = False,
    python: Python = None,
    *,
    flags: Flags,
    strict_instance: Strict = False,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """Give a coding task to the team, in a folder, and watch it being done."""
    from super_agent.cli.commands import run as command
    from super_agent.session.run_options import RunOptions

    options = RunOptions("", workspace, "solo" if solo else "team", check, setup, yes, python, strict_instance)
    raise typer.Exit(command.main(task, file, options, flags, env_file, as_json=json))


@app.command(cls=TaskCommand)
@with_settings(*SERVER, *LIMITS[1:], *PROTECTION, "no_snapshots")
def resume(
    session: session_commands.SessionId = None,
    instruction: Annotated[str | None, typer.Argument(help="What is to be done next, where the run had ended.")] = None,
    workspace: WorkspaceDir = Path(),
    more_turns: Annotated[
        int | None, typer.Option("--more-turns", min=1, metavar="N", help="Turns beyond those it has had.")
    ] = None,
    *,
    flags: Flags,
    strict_instance: Strict = False,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """Go on with a run that was ended, by whatever: from its last complete turn."""
    from super_agent.cli.commands import resume as command
    from super_agent.session.run_options import ResumeOptions

    options = ResumeOptions(session, workspace, instruction, more_turns, strict_instance)
    raise typer.Exit(command.main(options, flags, env_file, as_json=json))


@app.command(name="exec", cls=TaskCommand)
@with_settings(*SERVER, *LIMITS, *PROTECTION, "no_store", "no_snapshots")
def exec_(
    task: Task = None,
    file: TaskFile = None,
    workspace: WorkspaceDir = Path(),
    check: CheckCommand = None,
    setup: SetupCommand = None,
    yes: Yes = False,
    python: Python = None,
    *,
    flags: Flags,
    strict_instance: Strict = False,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """The executor alone: one task, or a conversation when no task is given in a terminal."""
    from super_agent.cli.commands import run as command
    from super_agent.session.run_options import RunOptions

    options = RunOptions("", workspace, "exec", check, setup, yes, python, strict_instance)
    raise typer.Exit(command.main(task, file, options, flags, env_file, as_json=json))


@app.command()
@with_settings(*SERVER)
def up(
    from_: Annotated[str | None, typer.Option("--from", help="The base model to make the alias from.")] = None,
    context: Annotated[int | None, typer.Option("--context", help="Context size in tokens to bake in.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="With the best small model to be had, and no choice.")] = False,
    *,
    flags: Flags,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """Make the server and the model ready: started, pulled or created, loaded once and kept."""
    from super_agent.cli.commands import up as command

    raise typer.Exit(command.main(from_, context, flags, env_file, as_json=json, demo=demo))


@app.command()
@with_settings(*SERVER)
def verify(
    quick: Annotated[bool, typer.Option("--quick", help="The five checks only, without the live proof.")] = False,
    load: Annotated[
        bool | None,
        typer.Option("--load/--no-load", help="Load the model if it is not loaded. [default: in a terminal]"),
    ] = None,
    *,
    flags: Flags,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """Check that AutoGen and the executor use the same model instance."""
    from super_agent.cli.commands import verify as command

    raise typer.Exit(command.main(flags, env_file, as_json=json, quick=quick, load=load))


@app.command()
@with_settings("base_url")
def ps(
    clients: Annotated[bool, typer.Option("--clients", help="List the clients: kind, pid, since, requests.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every second until Ctrl-C.")] = False,
    *,
    flags: Flags,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """Show the loaded models and how many clients use each."""
    from super_agent.cli.commands import ps as command

    raise typer.Exit(command.main(flags, env_file, as_json=json, clients=clients, watch=watch))


@app.command()
@with_settings(*SERVER)
def down(*, flags: Flags, json: Json = False, env_file: EnvFile = None) -> None:
    """Unload the model, unless a client still uses it."""
    from super_agent.cli.commands import down as command

    raise typer.Exit(command.main(flags, env_file, as_json=json))


@app.command(context_settings={"ignore_unknown_options": True})
@with_settings("sandbox", "network")
def sandbox(
    command: Annotated[list[str] | None, typer.Argument(help="Run this under the policy: sandbox -- COMMAND …")] = None,
    workspace: WorkspaceDir = Path(),
    python: Python = None,
    *,
    flags: Flags,
    json: Json = False,
    env_file: EnvFile = None,
) -> None:
    """What model-written code can do to this machine: explained, and tried by breaking out."""
    from super_agent.cli.commands import sandbox as module

    raise typer.Exit(module.main(command or [], workspace, python, flags, env_file, as_json=json))


app.add_typer(session_commands.sessions, name="sessions")
app.add_typer(batch_commands.batch, name="batch")
app.command()(acp_command.acp)
app.command()(web_commands.web)
app.command()(batch_commands.node)
app.command()(mcp_commands.mcp)
app.command()(session_commands.show)
app.command()(session_commands.diff)
app.command()(session_commands.undo)


def main(arguments: list[str] | None = None) -> None:
    """The console script: errors become one line on stderr and the exit code of their class, here and nowhere else."""
    open_missing()
    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        _require_platform()
        outcome = typer.main.get_command(app).main(arguments, prog_name="super-agent", standalone_mode=False)
    except SuperAgentError as error:
        complain(str(error))
        return int(error.exit_code)
    except typer.TyperException as error:
        hint = ", or put -- before a task that begins with a dash" if "such option" in error.format_message() else ""
        complain(f"{error.format_message().rstrip('.')}. See super-agent --help{hint}")
        return int(ExitCode.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        complain("interrupted")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        lead_nowhere(sys.stdout)
        return int(ExitCode.NOT_DONE)
    except OSError as error:  # typer writes help and version itself
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO) or error.filename is not None:
            raise
        failed = output_failed(sys.stdout, error)
        complain(str(failed))
        return int(failed.exit_code)
    return outcome if isinstance(outcome, int) else int(ExitCode.OK)


def _require_platform() -> None:
    if sys.platform != "linux":
        raise PlatformUnsupported(f"super-agent runs on Linux (WSL2 included), not yet on {sys.platform}")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        seen = ".".join(map(str, sys.version_info[:2]))
        raise PlatformUnsupported(f"super-agent needs Python 3.11 to 3.13, this is {seen}")


if __name__ == "__main__":
    main()
