"""The files of a run's attempts: what one leaves is kept, and an earlier state is brought back, with snapshots."""

from super_agent.core.events import SnapshotTaken
from super_agent.core.snapshots.restore import apply, plan
from super_agent.session.run_context import RunContext

ATTEMPT = "attempt-"
"""Snapshots of what a turn left where the run then went back to other files."""


def go_back(context: RunContext, left: int, target: str, paths: tuple[str, ...]) -> tuple[str, ...] | None:
    """Bring these paths back to the snapshot `target`, from how turn `left` left them; returns what that changed.

    None where there are no snapshots, or not that one. Raises `SnapshotFailed`.
    """
    snapshots, session = context.snapshots, context.session.session
    if snapshots is None or (commit := snapshots.at(session, target)) is None:
        return None
    taken = snapshots.take(session, f"{ATTEMPT}{left}")
    context.emit(SnapshotTaken(f"{ATTEMPT}{left}", taken.changed, round(taken.duration_s, 4), taken.left_out))
    # Only what the run itself changed: somebody may be at work beside it.
    steps = plan(snapshots, commit, taken.commit).of(paths)
    for step in sorted(steps.steps, key=lambda step: step.kind != "delete"):
        if context.journal is not None:
            context.journal.writing(step.path)
        apply(snapshots, steps.only([step]), commit, taken.commit)
        if context.journal is not None:
            context.journal.written()
    return tuple(step.path for step in steps.steps)


def state_after(turn: int, *, left: bool) -> str:
    """The name of the snapshot that holds what a turn left; `left` says whether the run went back after it."""
    return f"{ATTEMPT}{turn}" if left else str(turn)
