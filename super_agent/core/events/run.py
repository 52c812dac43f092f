"""The frame of a run: its beginning and end, its turns and who speaks. See `core/events/`."""

from dataclasses import dataclass
from typing import Literal

from super_agent.core.events.model import ClientUsage

Speaker = Literal["planner", "coder", "reviewer", "workspace", "interpreter", "check", "executor", "user"]
EndReason = Literal[
    "check_passed",
    "accepted",
    "finished",
    "no_progress",
    "turn_limit",
    "time_limit",
    "token_limit",
    "interrupted",
    "error",
]


@dataclass(frozen=True, slots=True)
class _RunFacts:
    """`limits` holds turns, seconds and tokens; None is no limit."""

    task: str
    mode: Literal["team", "solo", "exec"]
    workspace: str
    model: str
    base_url: str
    check: str | None
    sandbox: str
    limits: dict[str, int | float | None]


@dataclass(frozen=True, slots=True)
class RunStarted(_RunFacts):
    """Always the first event."""

    network: bool = False
    """Whether sandboxed code has the network, which the user had to ask for."""
    mcp: tuple[str, ...] = ()
    """MCP servers whose tools the executor had, outside the sandbox."""


@dataclass(frozen=True, slots=True)
class RunResumed(_RunFacts):
    """The first event after a run was taken up again from the end of turn `turns` (0: before the first).

    `rolled_back` are files that a turn which was not completed had changed and that are as before it again;
    `changed_meanwhile` are files that somebody else changed since, and that stay as they are.
    """

    turns: int
    instruction: str = ""
    rolled_back: tuple[str, ...] = ()
    changed_meanwhile: tuple[str, ...] = ()
    network: bool = False
    mcp: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The workspace was kept as it is: `name` is "start", the number of complete turns, or "end"; "attempt-N" is
    what turn N left where the run then went back to other files.

    `changed` counts the files that differ from the snapshot before; `left_out` are too large to be kept.
    """

    name: str
    changed: int
    duration_s: float
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know; `fix` is what to do about it, or empty."""

    level: Literal["info", "warning", "error"]
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """One coder reply and all that follows up to the next one; `number` counts from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Resampled:
    """The coder is asked again from the same prompt: attempt `number` (from 2), drawn with this temperature and seed.

    The files are again as at the end of turn `back_to` (0: before the first; None: they stay), which gave back `files`.
    """

    number: int
    why: str
    temperature: float
    seed: int
    back_to: int | None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakerStarted:
    """A member begins to speak."""

    speaker: Speaker


@dataclass(frozen=True, slots=True)
class TextStreamed:
    """A piece of a reply as the model writes it; `reasoning` text is thoughts, not reply."""

    speaker: Speaker
    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """A member's whole message as it stands in the transcript."""

    speaker: Speaker
    text: str
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class UserSpoke:
    """A line typed during the run; it reaches the team at the next turn."""

    text: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Always the last event. `resumable`: a state is kept from which the session can go on."""

    reason: EndReason
    exit_code: int
    detail: str
    turns: int
    duration_s: float
    files_changed: tuple[str, ...]
    usage: tuple[ClientUsage, ...]
    instance: dict[str, int]
    resumable: bool = False
