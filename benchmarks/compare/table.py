"""The comparison as Markdown and JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from benchmarks.compare.goals import Goal
from benchmarks.compare.measure import RunCost
from benchmarks.compare.pair import HEAD, Pair

COLUMNS = (
    "| who | calls | sent | evaluated | reuse | each once | replies | evaluating | loads | wall | orchestration "
    "| CPU a call | memory | start-up |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)
GOALS = "| goal | measured | wanted | |\n|---|--:|--:|---|"
LEGEND = """\
All are on the same server with the same model, each from a freshly loaded one, with the same scripted replies. Tokens
are prompt tokens: *sent* by the client, *evaluated* by the server (from its log; the rest stood in its cache), *each
once* what that would be if no token were evaluated twice. *replies*: tokens that the model would have generated; they
are put into the server's cache as generation does, and are counted apart. *evaluating*: seconds the server spent on
prompts. *orchestration*: wall time in which the model had nothing to do, start-up included. *CPU a call*: processor
time of the program's main process from one model call to the next. *memory*: largest resident sum of its processes.
*start-up*: from the start of the process to its first model call, the server's own time left out.

Stock AutoGen talks through a small client of this benchmark that sends what its OpenAI client sends; stock Open
Interpreter through litellm to the same API. The long task is super-agent's alone: a stock team's prompts outgrow the
context in it, the server cuts them without a word, and it would no longer be the same task.
"""


def machine(server_version: str, model: str) -> str:
    """What the figures were measured on."""
    return (
        f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"Ollama {server_version}, {model}, autogen-agentchat {version('autogen-agentchat')}"
    )


def line(row: RunCost) -> str:
    """One row."""
    once = "" if row.stock else f"{row.once:,}"
    cut = f" ({row.cut} prompts cut)" if row.cut else ""
    cells = [
        f"{row.name}, {row.length}",
        f"{row.calls}",
        f"{row.sent:,}{cut}",
        f"{row.evaluated:,}",
        f"{100 * row.reuse:.1f} %",
        once,
        f"{row.replies:,}",
        f"{row.prompt_s:.1f} s",
        f"{row.loads}",
        f"{row.wall_s:.1f} s",
        f"{row.orchestration_s:.2f} s",
        f"{row.cpu_ms_a_call:.0f} ms",
        f"{row.peak_mb:.0f} MiB",
        f"{row.first_call_s:.2f} s",
    ]
    return f"| {' | '.join(cells)} |"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that was measured, and on what."""

    where: str
    rows: Sequence[RunCost]
    pairs: Sequence[Pair]
    goals: Sequence[Goal]
    notes: Sequence[str]

    def markdown(self) -> str:
        """For people."""
        parts = ["# The same task, side by side", self.where, LEGEND]
        parts += ["\n".join([COLUMNS, *map(line, self.rows)])]
        parts += ["\n".join([HEAD, *(pair.row() for pair in self.pairs)])]
        parts += ["\n".join([GOALS, *(goal.row() for goal in self.goals)]), *self.notes]
        return "\n\n".join(part.strip() for part in parts) + "\n"

    def json(self) -> str:
        """For other programs."""
        data = {
            "machine": self.where,
            "rows": [{**asdict(row), "reuse": round(row.reuse, 4)} for row in self.rows],
            "pairs": [asdict(pair) for pair in self.pairs],
            "goals": [{**asdict(goal), "reached": goal.reached} for goal in self.goals],
            "notes": list(self.notes),
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
