"""What is kept of a run while it goes on: its events and states in the store, its files in snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.events import Notice, RunResumed, RunStarted, SnapshotTaken
from super_agent.core.snapshots.history import BEFORE, START
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import MAX_ALL_BYTES, MAX_FILE_BYTES
from super_agent.core.state import Heartbeat
from super_agent.core.store.recorder import Recorder
from super_agent.session.file_change_journal import Journal
from super_agent.session.run_context import RunContext

MAX_NAMED = 5


@dataclass(slots=True)
class RunPersistence:
    """Both are None where the user wants none; everything is closed with the context."""

    context: RunContext
    recorder: Recorder | None
    snapshots: Snapshots | None
    resumable: bool = False
    """Whether a state is kept from which the session can go on."""

    @classmethod
    def begin(cls, context: RunContext, facts: RunStarted, *, is_conversation: bool = False) -> "RunPersistence":
        """Of a new run from its first event on; a conversation has no task to be told. Raises `SuperAgentError`."""
        recorder = context.store.begin(context.session.session, facts) if context.store is not None else None
        record = cls._of(context, recorder, open_snapshots(context))
        if not is_conversation:
            context.emit(facts)
        record.snapshot(START)
        return record

    @classmethod
    def begin_again(cls, context: RunContext, recorder: Recorder, facts: RunStarted) -> "RunPersistence":
        """Of a run that was ended before its first turn; what was changed up to now is not its work."""
        context.stream.go_on(recorder.seq, recorder.turn)
        record = cls._of(context, recorder, open_snapshots(context))
        context.emit(facts)
        again = record.snapshots is not None and record.snapshots.at(context.session.session, START) is not None
        record.snapshot(f"{BEFORE}again" if again else START)
        return record

    @classmethod
    def go_on(
        cls, context: RunContext, recorder: Recorder, snapshots: Snapshots | None, facts: RunResumed
    ) -> "RunPersistence":
        """Of a run that is taken up again: its events count on. Raises `StoreFailed`."""
        context.stream.go_on(recorder.seq, recorder.turn)
        record = cls._of(context, recorder, snapshots)
        context.emit(facts)
        return record

    @classmethod
    def _of(cls, context: RunContext, recorder: Recorder | None, snapshots: Snapshots | None) -> "RunPersistence":
        if recorder is not None:
            context.stack.callback(recorder.close)
            context.journal = Journal(context.session)
            context.stack.callback(context.journal.close)
            context.journal.begin_turn()
            context.stream.sinks = (*context.stream.sinks, recorder, context.journal)
        context.stack.callback(Heartbeat(context.session).close)
        context.snapshots = snapshots
        return cls(context, recorder, snapshots)

    def keep(self, turns: int, state: str) -> None:
        """Keep files and state after `turns` complete turns; raises `SnapshotFailed`, `StoreFailed`."""
        self.snapshot(str(turns))
        if self.recorder is not None:
            self.recorder.checkpoint(turns, state)
            self.resumable = True
            if self.context.journal is not None:
                self.context.journal.begin_turn()

    def snapshot(self, name: str) -> None:
        """Keep the workspace's files as they are; raises `SnapshotFailed`."""
        if self.snapshots is None:
            return
        taken = self.snapshots.take(
            self.context.session.session, name, lambda text: self.context.emit(Notice("info", text))
        )
        if name == START and taken.left_out:
            why = f"above {MAX_FILE_BYTES >> 20} MiB (all together {MAX_ALL_BYTES >> 30} GiB), too deep or closed"
            self.context.emit(Notice("info", f"not in snapshots, as {why}: {_some(taken.left_out)}", "Keep a copy"))
        self.context.emit(SnapshotTaken(name, taken.changed, round(taken.duration_s, 4), taken.left_out))


def open_snapshots(context: RunContext) -> Snapshots | None:
    """The workspace's snapshots until the context is left, unless the user wants none; raises `SnapshotFailed`.

    A run that is not in the store could not be named to `diff` and `undo`, so it has none either.
    """
    if context.settings.snapshots == "off" or context.store is None:
        return None
    snapshots = Snapshots.open(context.settings.state_dir, context.workspace)
    context.stack.callback(snapshots.close)
    return snapshots


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - MAX_NAMED
    return ", ".join(paths[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
