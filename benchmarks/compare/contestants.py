"""Who is compared, how each is started, and what its script is."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare import steps, story
from benchmarks.compare.steps import Step
from evaluation.contestants.foreign import DRIVERS, python_of
from super_agent.core.settings import child_environment

SHORT_TURNS = 5
LONG_TURNS = 12
REPLY_TOKENS = 1150
"""More than any reply of the script; super-agent keeps that much of the context free for each."""
ALL_MEMBERS = ("--members", "planner,coder,reviewer")
"""As the stock teams have them; a model of this size and a check would leave the coder alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contestant works: the proxy's URL, the model, and a new folder of its own with the task's files."""

    url: str
    model: str
    folder: Path

    @property
    def workspace(self) -> Path:
        """The folder that holds the task's files, and nothing else."""
        return self.folder / "work"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One program on one task of so many turns; `short` is its name in charts and goals."""

    name: str
    short: str
    turns: int
    steps: list[Step]
    command: Callable[[Place], list[str]]
    stock: bool
    kind: str = "team"
    length: str = "short"

    def environment(self, place: Place) -> dict[str, str]:
        """Nothing of the user's own settings."""
        home = {} if self.stock else {"XDG_DATA_HOME": _data_home()}
        return {
            **child_environment(),
            **home,
            "HOME": str(place.folder),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # stock Open Interpreter would fetch it from the network
            "XDG_CONFIG_HOME": f"{place.folder}/config",
            "SUPER_AGENT_STATE_DIR": f"{place.folder}/state",
            "SUPER_AGENT_MAX_REPLY_TOKENS": str(REPLY_TOKENS),
        }


def stock_teams(turns: int = SHORT_TURNS) -> list[Contestant]:
    """The four group chats of AutoGen."""
    kinds = {
        "selector": ("SelectorGroupChat", steps.selector),
        "round_robin": ("RoundRobinGroupChat", steps.round_robin),
        "graph_flow": ("GraphFlow", steps.graph_flow),
        "magentic": ("MagenticOneGroupChat", steps.magentic),
    }

    def command(kind: str) -> Callable[[Place], list[str]]:
        module = [sys.executable, "-m", "benchmarks.compare.stock_team", kind]
        return lambda place: [*module, place.url, place.model, str(place.workspace), str(turns)]

    return [
        Contestant(f"stock AutoGen {name}", name, turns, script(turns), command(kind), stock=True)
        for kind, (name, script) in kinds.items()
    ]


def team(turns: int = SHORT_TURNS, *, run: bool = False) -> Contestant:
    """super-agent's team; with `run` its interpreter tries each module."""
    name = "super-agent team" + (" with interpreter" if run else "")
    length = "short" if turns == SHORT_TURNS else "long"
    return Contestant(
        name, name, turns, steps.team(turns, run=run), _ours(turns, *ALL_MEMBERS), stock=False, length=length
    )


def solo(turns: int = SHORT_TURNS) -> Contestant:
    """super-agent's executor alone."""
    return Contestant(
        "super-agent solo", "super-agent solo", turns, steps.executor(turns), _ours(turns, "--solo"), False, "executor"
    )


def open_interpreter(turns: int = SHORT_TURNS) -> Contestant:
    """Stock Open Interpreter 0.4.3; makes its environment once, raises `EngineFailed` where that is impossible."""
    work = [str(python_of("open_interpreter")), "-I", str(DRIVERS / "open_interpreter.py")]
    limits = ["--max-tokens", str(REPLY_TOKENS)]
    return Contestant(
        "stock Open Interpreter",
        "Open Interpreter",
        turns,
        steps.executor(turns),
        lambda place: [*work, *limits, "--folder", str(place.workspace), place.url, place.model, story.task(turns)],
        stock=True,
        kind="executor",
    )


def _ours(turns: int, *more: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        where = ["--base-url", place.url, "--model", place.model, "--workspace", str(place.workspace)]
        limits = ["--max-turns", str(turns + 1), "--check", story.CHECK, "--json"]
        return [sys.executable, "-m", "super_agent.cli.main", "run", story.task(turns), *more, *where, *limits]

    return command


def _data_home() -> str:
    """The environments of the engine and the sandbox lie there; they are not made anew for each run."""
    return os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
