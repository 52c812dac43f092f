"""Everything that happens in a run, as one closed family of frozen dataclasses.

Terminal, `--json`, the store and the tests read the same stream. Times are seconds since the epoch, durations seconds.
"""

import dataclasses
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from super_agent.core.gate import ClientKind

EVENT_VERSION = 1

Speaker = Literal["planner", "coder", "reviewer", "workspace", "interpreter", "check", "executor", "user"]
CodeOrigin = Literal["executor", "check", "setup"]
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
CodeDecision = Literal["run", "edited", "always", "skipped", "refused", "stopped"]
DecidedBy = Literal["user", "earlier_answer", "nobody"]
InstanceKind = Literal["load", "reload", "eviction", "keep_alive_reset", "truncation", "queued"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Always the first event. `limits` holds turns, seconds and tokens; None is no limit."""

    task: str
    mode: Literal["team", "solo", "exec"]
    workspace: str
    model: str
    base_url: str
    check: str | None
    sandbox: str
    limits: dict[str, float | None]
    network: bool = False
    """Whether sandboxed code had the network, which the user had to ask for."""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The first event after a run was taken up again from the end of turn `turns` (0: before the first).

    `rolled_back` are files that a turn which was not completed had changed and that are as before it again;
    `changed_meanwhile` are files that somebody else changed since, and that stay as they are.
    """

    task: str
    mode: Literal["team", "solo", "exec"]
    workspace: str
    model: str
    base_url: str
    check: str | None
    sandbox: str
    limits: dict[str, float | None]
    turns: int
    instruction: str = ""
    rolled_back: tuple[str, ...] = ()
    changed_meanwhile: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The workspace was kept as it is: `name` is "start", the number of complete turns, or "end".

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
class ModelReady:
    """The model is loaded once for this run."""

    model: str
    context_length: int
    load_s: float
    size_bytes: int
    size_vram_bytes: int


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """One coder reply and all that follows up to the next one; `number` counts from 1."""

    number: int


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
class RequestFinished:
    """One model call of either client. `load_s` and `prompt_s` are None where the API does not tell (`/v1`).

    `prompt_tokens` count cached ones too; `evaluated_tokens` of them were not in the server's cache, computed from what
    extends the call before, or measured where the server's `prompt_s` (seconds) shows it.
    """

    client: ClientKind
    prompt_tokens: int
    completion_tokens: int
    wall_s: float
    load_s: float | None
    evaluated_tokens: int | None = None
    evaluated_measured: bool = False
    prompt_s: float | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """Other runs have the model; `position` counts from 1, `waiting_for` names the runs that have it now."""

    client: ClientKind
    position: int
    waiting_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueuePassed:
    """The run has the model after waiting for others."""

    client: ClientKind
    waited_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server is alive and has sent nothing for `seconds`: no piece of the reply yet, or no further one."""

    client: ClientKind
    seconds: float
    waiting_for: Literal["first_piece", "next_piece"]


@dataclass(frozen=True, slots=True)
class Retried:
    """A request failed in a way that may pass, and is sent again after `wait_s`; `attempt` counts from 1."""

    client: ClientKind
    attempt: int
    limit: int
    reason: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class ReplyDiscarded:
    """A reply broke off after pieces of it were streamed: they count for nothing, the reply begins anew."""

    client: ClientKind
    reason: str


@dataclass(frozen=True, slots=True)
class ContextCompacted:
    """A conversation came near the end of its context: its middle was replaced by a summary made by rules.

    Tokens are estimates of the whole prompt; `kept` and `left_out` say what of it is still there and what is not.
    """

    client: ClientKind
    tokens_before: int
    tokens_after: int
    kept: str
    left_out: str


@dataclass(frozen=True, slots=True)
class PrefixBroken:
    """A prompt did not extend the one before it, so the server evaluates it again from there on.

    `message` and `character` (both from 0) are where it first differs.
    """

    client: ClientKind
    message: int
    character: int
    reason: str


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A block of the coder was applied; `diff` is a unified diff, cut to a readable length."""

    path: str
    kind: Literal["created", "replaced", "edited"]
    diff: str
    added_lines: int
    removed_lines: int


@dataclass(frozen=True, slots=True)
class EditRefused:
    """A block of the coder was not applied; the reason is told to the coder too."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FilesShown:
    """Parts of files the coder asked to see."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstructionGiven:
    """What the team (or the user) asks of the executor."""

    text: str


@dataclass(frozen=True, slots=True)
class ReportMade:
    """What the executor answers to an instruction."""

    text: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A person is asked whether the executor's code may run; `reasons` say why, `edited` is code they changed."""

    language: str
    code: str
    reasons: tuple[str, ...]
    edited: bool = False


@dataclass(frozen=True, slots=True)
class CodeDecided:
    """What became of code that needed approval; it runs after "run", "edited" and "always" (and later ones, too).

    `code` is what runs or would have run. "nobody" could be asked where it was refused.
    """

    decision: CodeDecision
    by: DecidedBy
    why: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class CodeStarted:
    """Code begins to run in the sandbox."""

    origin: CodeOrigin
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class OutputStreamed:
    """A piece of what running code prints, with control characters made harmless."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeFinished:
    """Code ended. `exit_code` is None for Python and where the process was killed.

    `output_file` holds the whole output where `cut_bytes` of it were not shown.
    """

    origin: CodeOrigin
    outcome: Literal["finished", "failed", "timed_out", "died", "interrupted", "refused"]
    exit_code: int | None
    duration_s: float
    output_bytes: int
    cut_bytes: int
    detail: str = ""
    output_file: str = ""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """What executed code changed in the workspace; paths relative to it, sorted."""

    created: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """The check's result; `when` is "before" for the one before the first turn."""

    command: str
    when: Literal["before", "after"]
    passed: bool
    exit_code: int | None
    output: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """The reviewer's schema-checked verdict."""

    verdict: Literal["accept", "revise"]
    reasons: str


@dataclass(frozen=True, slots=True)
class UserSpoke:
    """A line typed during the run; it reaches the team at the next turn."""

    text: str


@dataclass(frozen=True, slots=True)
class EngineRestarted:
    """The Open Interpreter process died and was started again from our record."""

    reason: str


@dataclass(frozen=True, slots=True)
class InstanceNoted:
    """The model instance did something nobody asked for (or a load that was expected)."""

    kind: InstanceKind
    expected: bool
    detail: str
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class ClientUsage:
    """Totals of one client over a run, in tokens as the server counts them; see `RequestFinished` for the rest."""

    client: ClientKind
    requests: int
    prompt_tokens: int
    completion_tokens: int
    evaluated_tokens: int | None = None
    evaluated_measured: bool = False
    prompt_s: float | None = None


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


@dataclass(frozen=True, slots=True)
class NewerEvent:
    """An event of a stored session that a newer version wrote: its type's name and its fields as they are."""

    name: str
    fields: dict[str, Any]


Event = (
    RunStarted | RunResumed | SnapshotTaken | Notice | ModelReady | TurnStarted | SpeakerStarted | TextStreamed
    | MessagePosted | RequestFinished | ContextCompacted | PrefixBroken | FileWritten | EditRefused | FilesShown
    | Queued | QueuePassed | Waiting | Retried | ReplyDiscarded | InstructionGiven | ReportMade | CodeStarted
    | OutputStreamed | CodeFinished | FilesChanged | CheckFinished | VerdictGiven | UserSpoke | EngineRestarted
    | InstanceNoted | ApprovalAsked | CodeDecided | RunEnded | NewerEvent
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event with its place in the session: `seq` counts from 1 without gaps, `turn` is 0 before the first turn.

    `unknown` holds what a newer version stored beside the fields known here.
    """

    session: str
    turn: int
    seq: int
    time: float
    event: Event
    unknown: dict[str, Any] = field(default_factory=dict)


Sink = Callable[[Stamped], None]
Emit = Callable[[Event], None]


@dataclass(slots=True)
class EventStream:
    """Stamps events and hands each to every sink, in order; `emit` is thread-safe and returns when all have it."""

    session: str
    sinks: tuple[Sink, ...]
    clock: Callable[[], float] = time.time
    turn: int = 0
    _seq: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def go_on(self, seq: int, turn: int) -> None:
        """Count on from where a session stood: its last event and turn."""
        self._seq, self.turn = seq, turn

    def emit(self, event: Event) -> None:
        """Stamp one event and deliver it. A sink's error reaches the caller: a lost event would be a lie."""
        with self._lock:
            if isinstance(event, TurnStarted):
                self.turn = event.number
            self._seq += 1
            stamped = Stamped(self.session, self.turn, self._seq, self.clock(), event)
            for sink in self.sinks:
                sink(stamped)


def unseen(_event: Event) -> None:
    """Where nobody listens."""


def event_type(event: Event) -> str:
    """The name of an event's type in JSON."""
    return event.name if isinstance(event, NewerEvent) else event_name(type(event))


def event_name(kind: type[Any]) -> str:
    """The class name in snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def to_json(stamped: Stamped) -> dict[str, Any]:
    """One JSON object for an event: version, type, time (RFC 3339, UTC), session, turn, seq, then its own fields."""
    event = stamped.event
    own = event.fields if isinstance(event, NewerEvent) else dataclasses.asdict(event)
    return {
        "version": EVENT_VERSION,
        "type": event_type(event),
        "time": datetime.fromtimestamp(stamped.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "session": stamped.session,
        "turn": stamped.turn,
        "seq": stamped.seq,
        **own,
        **stamped.unknown,
    }
