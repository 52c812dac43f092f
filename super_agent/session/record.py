"""What is kept of a run while it goes on: its events and states in the store, its files in snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.events import Notice, RunResumed, RunStarted, SnapshotTaken
from super_agent.core.snapshots.history import BEFORE
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import MAX_ALL_BYTES, MAX_FILE_BYTES
from super_agent.core.state import Heartbeat
from super_agent.core.store.recorder import Recorder
from super_agent.session.journal import Journal
from super_agent.session.wiring import Ground

START, END = "start", "end"
MAX_NAMED = 5


@dataclass(slots=True)
class Record:
    """Both are None where the user wants none; everything is closed with the ground."""

    ground: Ground
    recorder: Recorder | None
    snapshots: Snapshots | None
    resumable: bool = False
    """Whether a state is kept from which the session can go on."""

    @classmethod
    def begin(cls, ground: Ground, facts: RunStarted, *, is_conversation: bool = False) -> "Record":
        """Of a new run from its first event on; a conversation has no task to be told. Raises `SuperAgentError`."""
        recorder = ground.store.begin(ground.session.session, facts) if ground.store is not None else None
        record = cls._of(ground, recorder, open_snapshots(ground))
        if not is_conversation:
            ground.emit(facts)
        record.snapshot(START)
        return record

    @classmethod
    def begin_again(cls, ground: Ground, recorder: Recorder, facts: RunStarted) -> "Record":
        """Of a run that was ended before its first turn; what was changed up to now is not its work."""
        ground.stream.go_on(recorder.seq, recorder.turn)
        record = cls._of(ground, recorder, open_snapshots(ground))
        ground.emit(facts)
        again = record.snapshots is not None and record.snapshots.at(ground.session.session, START) is not None
        record.snapshot(f"{BEFORE}again" if again else START)
        return record

    @classmethod
    def go_on(cls, ground: Ground, recorder: Recorder, snapshots: Snapshots | None, facts: RunResumed) -> "Record":
        """Of a run that is taken up again: its events count on. Raises `StoreFailed`."""
        ground.stream.go_on(recorder.seq, recorder.turn)
        record = cls._of(ground, recorder, snapshots)
        ground.emit(facts)
        return record

    @classmethod
    def _of(cls, ground: Ground, recorder: Recorder | None, snapshots: Snapshots | None) -> "Record":
        if recorder is not None:
            ground.stack.callback(recorder.close)
            ground.journal = Journal(ground.session)
            ground.stack.callback(ground.journal.close)
            ground.journal.begin_turn()
            ground.stream.sinks = (*ground.stream.sinks, recorder, ground.journal)
        ground.stack.callback(Heartbeat(ground.session).close)
        return cls(ground, recorder, snapshots)

    def keep(self, turns: int, state: str) -> None:
        """Keep files and state after `turns` complete turns; raises `SnapshotFailed`, `StoreFailed`."""
        self.snapshot(str(turns))
        if self.recorder is not None:
            self.recorder.checkpoint(turns, state)
            self.resumable = True
            if self.ground.journal is not None:
                self.ground.journal.begin_turn()

    def snapshot(self, name: str) -> None:
        """Keep the workspace's files as they are; raises `SnapshotFailed`."""
        if self.snapshots is None:
            return
        taken = self.snapshots.take(
            self.ground.session.session, name, lambda text: self.ground.emit(Notice("info", text))
        )
        if name == START and taken.left_out:
            why = f"above {MAX_FILE_BYTES >> 20} MiB (all together {MAX_ALL_BYTES >> 30} GiB), too deep or closed"
            self.ground.emit(Notice("info", f"not in snapshots, as {why}: {_some(taken.left_out)}", "Keep a copy"))
        self.ground.emit(SnapshotTaken(name, taken.changed, round(taken.duration_s, 4), taken.left_out))


def open_snapshots(ground: Ground) -> Snapshots | None:
    """The workspace's snapshots until the ground is left, unless the user wants none; raises `SnapshotFailed`.

    A run that is not in the store could not be named to `diff` and `undo`, so it has none either.
    """
    if ground.settings.snapshots == "off" or ground.store is None:
        return None
    snapshots = Snapshots.open(ground.settings.state_dir, ground.workspace)
    ground.stack.callback(snapshots.close)
    return snapshots


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - MAX_NAMED
    return ", ".join(paths[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
