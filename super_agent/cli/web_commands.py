"""`web`, with the flags a user types."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from super_agent.cli.flags import TRUST_EACH, EnvFile, Flags, with_settings
from super_agent.cli.say import complain, say


@with_settings("model", "base_url", "trust_instructions", "mcp", trust_instructions=TRUST_EACH)
def web(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, metavar="N", help="0: a free one. Links last with the same."),
    ] = 0,
    cert: Annotated[Path | None, typer.Option("--cert", metavar="FILE", help="Certificate for another --host.")] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The certificate's key.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Another --host without a certificate.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="For showing to others: nothing can be done.")] = False,
    open_: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open a browser. [default: in a terminal]")
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="FOLDER", help="Where runs may be begun; may be repeated. [default: here]"),
    ] = None,
    *,
    flags: Flags,
    env_file: EnvFile = None,
) -> None:
    """A page on this machine to begin, watch and steer runs, to look back, and to see the instance."""
    from super_agent.web import serve_web
    from super_agent.web.server_options import WebOptions

    opens = sys.stdout.isatty() if open_ is None else open_
    roots = tuple(folder.expanduser().resolve() for folder in root or [Path()])
    options = WebOptions(host, port, cert, key, insecure, read_only, opens, roots, flags, env_file)
    raise typer.Exit(serve_web.main(options, say, complain))
