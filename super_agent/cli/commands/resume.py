"""`resume`: a session goes on, in the terminal."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from super_agent.cli.commands.run import through_terminal
from super_agent.session.resume import open_resumption
from super_agent.session.run_options import Door, ResumeOptions, RunResult, disagree


def main(options: ResumeOptions, flags: Mapping[str, Any], env_file: Path | None, *, as_json: bool) -> int:
    """Go on with a session; returns the exit code. Raises `SuperAgentError` for what is wrong before it goes on."""
    with open_resumption(options, flags, env_file) as resumption:

        def go_on(door: Door) -> RunResult:
            return resumption.run(replace(door, confirm=disagree) if as_json else door)

        return through_terminal(go_on, as_json=as_json)
