"""The commands that look back: `sessions`, `show`, `diff` and `undo`, with the flags a user types."""

from pathlib import Path
from typing import Annotated

import typer

from super_agent.cli.flags import EnvFile


def _complete(incomplete: str) -> list[tuple[str, str]]:
    from super_agent.session.session_lookup import completions

    return completions(incomplete)


WorkspaceDir = Annotated[Path, typer.Option("--workspace", "-w", help="The folder that was worked in.")]
Everywhere = Annotated[bool, typer.Option("--all", "-a", help="Of all workspaces, not of this one only.")]
SessionId = Annotated[
    str | None,
    typer.Argument(
        metavar="[SESSION]",
        help="An id or its beginning; without it the last session of this workspace.",
        autocompletion=_complete,
    ),
]
SessionIds = Annotated[
    list[str], typer.Argument(metavar="SESSION...", help="Ids or their beginnings.", autocompletion=_complete)
]
Removed = Annotated[bool, typer.Option("--json", help="One JSON object: the ids that were removed.")]

sessions = typer.Typer(help="List past and running sessions; remove old ones.", invoke_without_command=True)


@sessions.callback()
def list_(
    context: typer.Context,
    workspace: WorkspaceDir = Path(),
    everywhere: Everywhere = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    env_file: EnvFile = None,
) -> None:
    """List the sessions of this workspace; `rm` and `prune` remove some."""
    if context.invoked_subcommand is None:
        from super_agent.cli.commands import sessions as command

        raise typer.Exit(command.show_list(env_file, workspace, everywhere=everywhere, as_json=json))


@sessions.command()
def rm(names: SessionIds, json: Removed = False, env_file: EnvFile = None) -> None:
    """Remove sessions: their events, snapshots, saved originals and outputs. No file of a workspace is touched."""
    from super_agent.cli.commands import sessions as command

    raise typer.Exit(command.remove(env_file, names, as_json=json))


@sessions.command()
def prune(
    keep: Annotated[int | None, typer.Option("--keep", min=0, metavar="N", help="Keep the newest N.")] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="Only those older than 12h, 30d or 8w.")
    ] = None,
    workspace: WorkspaceDir = Path(),
    everywhere: Everywhere = False,
    json: Removed = False,
    env_file: EnvFile = None,
) -> None:
    """Remove old sessions of this workspace, or of all; running ones stay."""
    from super_agent.cli.commands import sessions as command

    raise typer.Exit(
        command.prune(env_file, workspace, everywhere=everywhere, keep=keep, older_than=older_than, as_json=json)
    )


def show(
    session: SessionId = None,
    workspace: WorkspaceDir = Path(),
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained page; `-` is stdout.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Its events, one JSON object a line.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Show a session as it was seen, or write it as a page to send to somebody."""
    from super_agent.cli.commands import show as command

    raise typer.Exit(command.main(session, workspace, html, env_file, as_json=json))


def diff(
    session: SessionId = None,
    turn: Annotated[int | None, typer.Option("--turn", min=1, metavar="N", help="Of turn N only.")] = None,
    stat: Annotated[bool, typer.Option("--stat", help="How much in which file, instead of the lines.")] = False,
    workspace: WorkspaceDir = Path(),
    json: Annotated[bool, typer.Option("--json", help="One JSON object: the files that differ.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Show what a session changed in the workspace's files."""
    from super_agent.cli.commands import diff as command

    raise typer.Exit(command.main(session, turn, workspace, env_file, stat=stat, as_json=json))


def undo(
    session: SessionId = None,
    to_turn: Annotated[
        int | None,
        typer.Option("--to-turn", min=0, metavar="N", help="Back to the end of turn N; 0: before the first."),
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option("--file", metavar="PATH", help="Only this file or folder; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what somebody else changed since.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Take the last undo back.")] = False,
    before_resume: Annotated[
        bool, typer.Option("--before-resume", help="Back to before the last resume took anything back.")
    ] = False,
    workspace: WorkspaceDir = Path(),
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text; needs --yes.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Take back what a session changed, after showing it; `--redo` takes that back."""
    from super_agent.cli.commands import undo as command

    ask = command.UndoArguments(session, to_turn, tuple(file or ()), workspace, yes, force, redo, json, before_resume)
    raise typer.Exit(command.main(ask, env_file))
