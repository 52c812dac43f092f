"""What a run does now, in one line for whoever waits for it, and what it said that its caller should know."""

import threading
import time
from dataclasses import dataclass, field

from super_agent.core import events as ev
from super_agent.core.sanitize import printable_path, sanitize
from super_agent.session.messages import run_messages

MAX_NOTES = 20
"""A run that warns more often says the same things again."""


@dataclass(slots=True)
class TaskProgress:
    """A `Sink`: told in the run's threads, read in another."""

    began: float = field(default_factory=time.monotonic)
    session: str = ""
    workspace: str = ""
    turn: int = 0
    doing: str = "starting"
    notes: list[str] = field(default_factory=list)
    _written_chars: int = 0
    _speaker: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def elapsed_s(self) -> float:
        """Since it was asked for."""
        return time.monotonic() - self.began

    def line(self) -> str:
        """Session, turn, time and what goes on."""
        session = f"session {self.session}" if self.session else "the session begins"
        turn = f", turn {self.turn}" if self.turn else ""
        return f"{session}{turn}, {self.elapsed_s():.0f} s: {self.doing}"

    def __call__(self, stamped: ev.Stamped) -> None:
        """Take one event."""
        with self._lock:
            self.session, self.turn = stamped.session, stamped.turn
            event = stamped.event
            if isinstance(event, ev.RunStarted | ev.RunResumed):
                self.workspace = event.workspace
            self.doing = self._doing(event) or self.doing
            note = _note(event)
            if note and note not in self.notes and len(self.notes) < MAX_NOTES:
                self.notes.append(note)

    def _doing(self, event: ev.Event) -> str:
        """What goes on from this event on; empty where it tells nothing about that."""
        if isinstance(event, ev.SpeakerStarted):
            self._speaker, self._written_chars = event.speaker, 0
            return f"the {event.speaker} begins"
        if isinstance(event, ev.TextStreamed):
            self._written_chars += len(event.text)
            verb = "thinks" if event.reasoning else "writes"
            return f"the {event.speaker} {verb} ({self._written_chars:,} characters)"
        return _waits(event) or _works(event)


def _waits(event: ev.Event) -> str:
    if isinstance(event, ev.Queued):
        return run_messages.queued(event)
    if isinstance(event, ev.Waiting):
        return run_messages.waiting(event)
    if isinstance(event, ev.Retried):
        return sanitize(run_messages.retried(event))
    return "it has the model now" if isinstance(event, ev.QueuePassed) else ""


def _works(event: ev.Event) -> str:
    if isinstance(event, ev.RunStarted | ev.RunResumed):
        return "making the model ready"
    if isinstance(event, ev.ModelReady):
        return f"the model {event.model} is ready"
    if isinstance(event, ev.FileWritten):
        return f"wrote {printable_path(event.path)}"
    if isinstance(event, ev.CodeStarted):
        return "the check runs" if event.origin == "check" else f"{event.language} code runs"
    if isinstance(event, ev.CheckFinished):
        return f"the check {'passed' if event.passed else 'failed'}"
    return ""


def _note(event: ev.Event) -> str:
    """What a caller should know of, on one line."""
    if isinstance(event, ev.Notice) and event.level != "info":
        text = f"{event.text}. {event.fix}" if event.fix else event.text
    elif isinstance(event, ev.InstanceNoted) and not event.expected:
        text = f"{event.kind.replace('_', ' ')}: {event.detail}" + (f" ({event.cause})" if event.cause else "")
    else:
        return ""
    return " ".join(sanitize(text).split())
