"""What a call of `run_task` has done: a new run, or a session that goes on.

It is carried out in a thread of its own, with all that a run needs imported there. The workspace of its options is
resolved, and allowed when it was looked at; the run tells where it really works.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent.core.settings import Settings
from super_agent.session.run_options import Door, ResumeOptions, RunOptions, RunResult

OF_A_FIRST_RUN = ("max_turns", "max_time_s", "max_tokens")
"""Settings that a session which goes on has from its own run, where they count on."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A task."""

    options: RunOptions
    settings: Settings

    def run(self, door: Door) -> RunResult:
        """To the end; raises `SuperAgentError` where it cannot begin."""
        from super_agent.session.run import run

        return run(self.options, self.settings, door)


@dataclass(frozen=True, slots=True)
class NextRun:
    """Something new for a session; `flags` are settings of the command line by their names."""

    options: ResumeOptions
    flags: Mapping[str, Any]
    env_file: Path | None

    def run(self, door: Door) -> RunResult:
        """To the end; raises `SuperAgentError` where it cannot begin."""
        from super_agent.session.resume import open_resumption

        flags = {name: value for name, value in self.flags.items() if name not in OF_A_FIRST_RUN}
        with open_resumption(self.options, flags, self.env_file) as resumption:
            return resumption.run(door)


TaskRun = NewRun | NextRun
