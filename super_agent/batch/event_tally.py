"""What a batch keeps of a run's event stream: its session, its end and its cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INTERESTING = ("run_started", "run_resumed", "request_finished", "run_ended")
HEADS = tuple(f'"type": "{name}"'.encode() for name in INTERESTING)
HEAD_BYTES = 64
"""A line begins with its version and type; the rest is parsed only where it is looked at (most are streamed pieces)."""


def is_interesting(line: bytes) -> bool:
    """Whether a `Tally` looks at it."""
    head = line[:HEAD_BYTES]
    return any(name in head for name in HEADS)


@dataclass(slots=True)
class Tally:
    """Fed with lines of `--json` or with stored events as JSON has them."""

    session: str = ""
    model_s: float = 0.0
    """Seconds that model calls took, of both clients."""
    reloads: int = 0
    end: Mapping[str, Any] | None = None
    """The last `run_ended`."""
    turns: int = field(default=0)

    def take_line(self, line: bytes) -> None:
        """One line of a run's standard output; a line that a killed run left half is dropped."""
        if not is_interesting(line):
            return
        try:
            event = json.loads(line)
        except ValueError:
            return
        self.take(event)

    def take(self, event: Mapping[str, Any]) -> None:
        """One event."""
        kind = event["type"]
        self.session = str(event["session"])
        if kind in ("run_started", "run_resumed"):
            self.end = None
        elif kind == "request_finished":
            self.model_s += float(event["wall_s"])
        elif kind == "run_ended":
            self.end, self.turns = event, int(event["turns"])
            self.reloads += int(event["instance"].get("reload", 0))

    def tokens(self) -> tuple[int, int | None, int]:
        """Sent, evaluated (None where it is not known of every client) and out, as the run's end tells them."""
        usage = self.end["usage"] if self.end is not None else ()
        evaluated = [u["evaluated_tokens"] for u in usage]
        return (
            sum(u["prompt_tokens"] for u in usage),
            None if None in evaluated else sum(evaluated),
            sum(u["completion_tokens"] for u in usage),
        )
