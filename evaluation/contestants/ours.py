"""super-agent itself: the team, solo, and whatever its options make of them."""

import os
import sys
from pathlib import Path

from evaluation.contestants.arena import Arena, Contestant, Ending, on_host
from super_agent.core.settings import child_environment

ORDERLY = (0, 1, 130)
"""Done, not done, interrupted; the others are failures of server, sandbox or command line."""
MAX_TURNS = 50
"""More than any budget allows: tokens decide."""


def contestant(name: str, *options: str) -> Contestant:
    """`super-agent run` with further options, on the task's check."""

    def run(arena: Arena) -> Ending:
        where = ["--base-url", arena.url, "--model", arena.model, "--workspace", str(arena.workspace)]
        limits = ["--max-turns", str(MAX_TURNS), "--max-time", f"{arena.timeout_s:.0f}", "--check", arena.task.check]
        words = [sys.executable, "-m", "super_agent.cli.main", "run", *where, *limits, *options, "--json", "--"]
        environment = {
            **child_environment(),
            "HOME": str(arena.folder),
            # The environments of engine and sandbox lie there; they are not made anew for each run.
            "XDG_DATA_HOME": os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share"),
            "XDG_CONFIG_HOME": f"{arena.folder}/config",
            "SUPER_AGENT_STATE_DIR": f"{arena.folder}/state",
            "SUPER_AGENT_SEED": str(arena.seed),  # else each session draws from one of its own
        }
        return on_host(arena, [*words, arena.task.text], environment, ORDERLY)

    return Contestant(name, run, ours=True)
