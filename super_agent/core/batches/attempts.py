"""One attempt at a task of a batch, and the lines that tell of all: for the batch, which writes them, and for views."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from super_agent.core.errors import ExitCode, UsageError

FILE = "results.jsonl"
"""In a batch's folder."""
AttemptOutcome = Literal["done", "not done", "refused", "server", "executor", "killed"]
OUTCOMES: Mapping[int, AttemptOutcome] = {0: "done", 1: "not done", 2: "refused", 3: "server", 4: "executor"}
"""By the exit code of a run."""


class Attempt(BaseModel):
    """One attempt at a task. Times are seconds, tokens those of both clients; `final`: no further one follows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    hash: str
    attempt: int
    final: bool
    outcome: AttemptOutcome
    reason: str
    exit_code: int
    detail: str = ""
    patch: str = ""
    """Relative to the batch's folder; empty where nothing was changed."""
    workspace: str = ""
    """The user's folder that was copied, which `batch apply` changes."""
    turns: int = 0
    tokens_sent: int = 0
    tokens_evaluated: int | None = None
    tokens_out: int = 0
    model_s: float = 0.0
    wall_s: float = 0.0
    transport_s: float = 0.0
    """Of `wall_s`, what was not the node's own: finding a slot there, the way there and back."""
    reloads: int = 0
    host: str = ""
    model: str = ""
    digest: str = ""
    version: str = ""
    session: str = ""

    @property
    def is_verdict(self) -> bool:
        """Whether it says something of the task, not of server, disk or machine: what a later start takes as final."""
        return _is_verdict(self.exit_code, self.reason)


def _is_verdict(exit_code: int, reason: str) -> bool:
    return exit_code in (ExitCode.OK, ExitCode.USAGE) or (exit_code == ExitCode.NOT_DONE and reason != "error")


def read_attempts(path: Path) -> Iterator[Attempt]:
    """All lines, oldest first; raises `UsageError` for one that is not ours, OSError."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield Attempt.model_validate_json(line)
            except ValidationError as error:
                where = f"line {number} of {path} is not a result"
                raise UsageError(f"{where}: {error.errors()[0]['msg']}", fix="Correct or remove that line") from None


def final_attempts(path: Path) -> Iterator[Attempt]:
    """Of each task its newest line, where it is final; in the order of the file. Raises as `read_attempts`."""
    newest = {attempt.id: number for number, attempt in enumerate(read_attempts(path))}
    for number, attempt in enumerate(read_attempts(path)):
        if newest[attempt.id] == number and attempt.final:
            yield attempt
