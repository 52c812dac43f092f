"""The order in which runs use one model: fair, by run and not by request. No files and no clock here.

A run keeps the model for a stretch, so that a server with one slot is not driven from one context to another at every
call; in that order each run's prompts find their prefix in the server's cache.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field

STRETCH_S = 60.0
"""While others wait, a run gives way at its next call after this. A switch costs, at worst (no host cache), evaluating
the whole context again: 16k tokens at 1,000 tokens/s are 16 s, a fifth of such a round; a turn's end comes sooner."""
LEAST_STRETCH_S = 10.0
"""The end of a turn gives way only after this. With llama-server's host cache a switch moves two contexts: 16k tokens
of a 7B to 32B model are 1 to 4 GB (57 to 262 kB a token), under a second at 10 GB/s, so under a tenth of a stretch."""
IDLE_S = 2.0
"""Without a call for so long (a check, a long code run, a user who thinks) a run lets others in: the server would be
idle. Between two calls of a turn the team and the executor spend some 10 ms."""


@dataclass(slots=True)
class QueueEntry:
    """One run's place: it waits, or it holds the model. Times are of the monotonic clock that all processes share."""

    run: str
    label: str
    pid: int
    ticket: int
    since: float
    holding: bool = False
    calls: int = 0
    idle_since: float = 0.0


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """What a run is told when it asks: 0 is its turn, else its position and who has the model."""

    position: int
    waiting_for: tuple[str, ...] = ()


@dataclass(slots=True)
class Schedule:
    """The queue for one model; `stopped` are runs whose process is suspended: nobody waits for them."""

    entries: list[QueueEntry] = field(default_factory=list)
    stopped: Collection[str] = ()

    def of(self, run: str) -> QueueEntry | None:
        """The entry of a run."""
        return next((entry for entry in self.entries if entry.run == run), None)

    def ask(self, run: str, label: str, pid: int, now: float, slots: int) -> QueuePosition:
        """Give the run the model where it is its turn, else a place at the end of the queue, or the one it has."""
        mine = self.of(run)
        if mine is not None and mine.holding:
            if mine.calls or not self._stretch_is_over(mine, now):
                return QueuePosition(0)
            self.entries.remove(mine)
            mine = None
        if mine is None:
            ticket = max((entry.ticket for entry in self.entries), default=0) + 1
            mine = QueueEntry(run, label, pid, ticket, now)
            self.entries.append(mine)
        holders = [entry for entry in self.entries if entry.holding]
        yielding = [entry for entry in holders if self._lets_in(entry, now)]
        queue = [entry for entry in self._waiting() if entry is mine or entry.run not in self.stopped]
        position = queue.index(mine)
        if position >= slots - len(holders) + len(yielding):
            return QueuePosition(position + 1, tuple(entry.label for entry in holders))
        for entry in sorted(yielding, key=lambda entry: entry.since)[: max(0, len(holders) + 1 - slots)]:
            self.entries.remove(entry)
        mine.holding, mine.since, mine.idle_since = True, now, now
        return QueuePosition(0)

    def turn_ended(self, run: str, now: float) -> None:
        """A good moment to give way, where others wait and the stretch was worth a switch."""
        mine = self.of(run)
        if mine is None or not mine.holding or mine.calls or not self._waiting():
            return
        if now - mine.since >= LEAST_STRETCH_S:
            self.entries.remove(mine)

    def drop(self, run: str) -> None:
        """The run is gone, or has given up its place."""
        self.entries = [entry for entry in self.entries if entry.run != run]

    def to_json(self) -> str:
        """One line."""
        return json.dumps([asdict(entry) for entry in self.entries])

    @classmethod
    def from_json(cls, text: str) -> "Schedule":
        """Raises ValueError or TypeError for anything that `to_json` did not write."""
        return cls([QueueEntry(**fields) for fields in json.loads(text)])

    def _waiting(self) -> list[QueueEntry]:
        return sorted((entry for entry in self.entries if not entry.holding), key=lambda entry: entry.ticket)

    def _lets_in(self, holder: QueueEntry, now: float) -> bool:
        if holder.run in self.stopped:
            return True
        idle = holder.calls == 0
        return idle and (now - holder.idle_since >= IDLE_S or self._stretch_is_over(holder, now))

    def _stretch_is_over(self, holder: QueueEntry, now: float) -> bool:
        """Counted only while others wait: who was alone before has the whole stretch."""
        waiting = [entry.since for entry in self._waiting() if entry.run not in self.stopped]
        return bool(waiting) and now - max(holder.since, min(waiting)) >= STRETCH_S
