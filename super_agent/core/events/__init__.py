"""Everything that happens in a run, as one closed family of frozen dataclasses, in three files by subject.

Terminal, `--json`, the store and the tests read the same stream. Times are seconds since the epoch, durations seconds.
"""

import dataclasses
import re
import threading
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from super_agent.core.events.model import (
    ClientUsage,
    ContextCompacted,
    InstanceKind,
    InstanceNoted,
    ModelReady,
    PrefixBroken,
    Queued,
    QueuePassed,
    ReplyDiscarded,
    RequestFinished,
    Retried,
    Waiting,
)
from super_agent.core.events.run import (
    EndReason,
    MessagePosted,
    Notice,
    Resampled,
    RunEnded,
    RunResumed,
    RunStarted,
    SnapshotTaken,
    Speaker,
    SpeakerStarted,
    TextStreamed,
    TurnStarted,
    UserSpoke,
)
from super_agent.core.events.work import (
    ApprovalAsked,
    CheckFinished,
    CodeDecided,
    CodeDecision,
    CodeFinished,
    CodeOrigin,
    CodeStarted,
    DecidedBy,
    EditRefused,
    EngineRestarted,
    FilesChanged,
    FilesShown,
    FileWritten,
    InstructionGiven,
    OutputStreamed,
    ReportMade,
    VerdictGiven,
)

EVENT_VERSION = 1


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
    | InstanceNoted | ApprovalAsked | CodeDecided | Resampled | RunEnded | NewerEvent
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

    @property
    def seq(self) -> int:
        """The number of the last event."""
        return self._seq

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is emitted meanwhile, by other threads; for as long as it takes to look, no longer."""
        with self._lock:
            yield

    def emit(self, event: Event) -> None:
        """Stamp one event and deliver it. A sink's error reaches the caller: a lost event would be a lie."""
        with self._lock:
            if isinstance(event, TurnStarted):
                self.turn = event.number
            self._seq += 1
            stamped = Stamped(self.session, self.turn, self._seq, self.clock(), event)
            for sink in self.sinks:
                sink(stamped)


def discard(_event: Event) -> None:
    """Where nobody listens."""


def event_name(kind: type[Any]) -> str:
    """The class name in snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


# Looked up for each streamed piece, so worked out once.
_NAMES: dict[type[Any], str] = {kind: event_name(kind) for kind in typing.get_args(Event)}
_FIELDS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(f.name for f in dataclasses.fields(kind)) for kind in typing.get_args(Event)
}


def field_names(kind: type[Any]) -> tuple[str, ...]:
    """The own fields of a type of event, in their order."""
    return _FIELDS[kind]


def event_type(event: Event) -> str:
    """The name of an event's type in JSON."""
    return event.name if isinstance(event, NewerEvent) else _NAMES[type(event)]


def own_fields(event: Event) -> dict[str, Any]:
    """An event's own fields as JSON has them: dataclasses in tuples are objects. What is in them is not copied."""
    if isinstance(event, NewerEvent):
        return dict(event.fields)
    return {name: _plain(getattr(event, name)) for name in _FIELDS[type(event)]}


def _plain(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return tuple(dataclasses.asdict(item) if isinstance(item, ClientUsage) else item for item in value)


def to_json(stamped: Stamped) -> dict[str, Any]:
    """One JSON object for an event: version, type, time (RFC 3339, UTC), session, turn, seq, then its own fields."""
    return {
        "version": EVENT_VERSION,
        "type": event_type(stamped.event),
        "time": datetime.fromtimestamp(stamped.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "session": stamped.session,
        "turn": stamped.turn,
        "seq": stamped.seq,
        **own_fields(stamped.event),
        **stamped.unknown,
    }
