"""What the tools are asked and answer: typed, with a schema that the protocol hands to the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from super_agent.core.sanitize import sanitize

TaskOutcome = Literal["running", "done", "not_done", "failed", "cancelled", "broken_off"]


class Cost(BaseModel):
    """Tokens as the server counts them. `evaluated_tokens` were not in its cache; null where that is not known."""

    requests: int = 0
    prompt_tokens: int = 0
    evaluated_tokens: int | None = None
    completion_tokens: int = 0
    seconds: float = Field(default=0.0, description="wall time of the run")


class TaskResult(BaseModel):
    """A run, under way or ended."""

    session: str = Field(description="names the run for get_result, cancel, diff and undo, also after a restart")
    outcome: TaskOutcome = Field(description="done: the check passes or the reviewer accepted the work")
    reason: str | None = Field(
        default=None, description="why it ended: check_passed, accepted, no_progress, turn_limit, …"
    )
    detail: str = ""
    doing: str = Field(default="", description="what goes on while it is running")
    workspace: str
    turns: int
    files: list[str] = Field(description="files that differ from the start, relative to the workspace")
    files_left_out: int = 0
    diff: str = Field(default="", description="unified diff of all that the run changed")
    diff_is_cut: bool = Field(default=False, description="the diff tool gives the rest")
    cost: Cost
    instance: dict[str, int] = Field(default_factory=dict, description="what the model instance did: loads, reloads, …")
    notes: list[str] = Field(default_factory=list, description="warnings of the run")
    next: str = Field(default="", description="what the caller can do now")


class SessionInfo(BaseModel):
    """One session of the list."""

    session: str
    started: str = Field(description="RFC 3339, UTC")
    outcome: TaskOutcome
    reason: str | None
    workspace: str
    task: str = Field(description="its beginning")
    turns: int
    files: int
    tokens: int


class SessionList(BaseModel):
    """Newest first."""

    sessions: list[SessionInfo]
    left_out: int = Field(default=0, description="older ones that were not listed")


class DiffResult(BaseModel):
    """A part of a diff."""

    session: str
    turn: int | None
    diff: str
    total_chars: int
    next_offset: int | None = Field(default=None, description="where the rest begins; null where this is the end")


class FileChange(BaseModel):
    """A file that an undo changed."""

    path: str
    action: Literal["create", "replace", "delete"]


class UndoResult(BaseModel):
    """What was taken back."""

    session: str
    changed: list[FileChange]
    kept: list[str] = Field(description="changed since by somebody else and therefore left; `force` takes them too")
    next: str


class InstanceCheck(BaseModel):
    """One line of verify."""

    name: str
    status: str
    detail: str
    fix: str = ""


class InstanceModel(BaseModel):
    """One row of ps."""

    name: str
    digest: str
    size_bytes: int
    size_vram_bytes: int
    context_length: int
    clients: list[str] = Field(description="kind and pid of each client of ours")


class InstanceResult(BaseModel):
    """Whether both halves use one model instance, and who uses the server."""

    one_instance: bool = Field(description="no check failed")
    checks: list[InstanceCheck]
    models: list[InstanceModel]
    other_connections: int | None = Field(description="of programs of others; null where that cannot be seen")


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """What is to be done: a new run, or with `session` one that goes on, whose own are what is None here."""

    task: str
    workspace: str | None = None
    check: str | None = None
    mode: Literal["team", "solo"] | None = None
    max_turns: int | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """What is to be taken back: all of a session, or what came after turn `to_turn`, or the last undo."""

    session: str
    to_turn: int | None = None
    files: Sequence[str] = ()
    force: bool = False
    redo: bool = False


def plain(text: str) -> str:
    """Text of a model, a file name or a user that any client can take: no controls, no lone surrogates."""
    return sanitize(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
