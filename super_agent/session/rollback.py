"""Before a run goes on: what a turn that was not completed left behind is taken back, what others did since is kept."""

from dataclasses import dataclass

from super_agent.core.snapshots.restore import apply, plan
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.undo import by_time
from super_agent.core.state import SessionFolder, last_alive
from super_agent.session.record import END


@dataclass(frozen=True, slots=True)
class Turned:
    """Paths, sorted."""

    rolled_back: tuple[str, ...] = ()
    changed_meanwhile: tuple[str, ...] = ()


def turn_back(snapshots: Snapshots, session: SessionFolder, turns: int) -> Turned:
    """Bring the workspace to the end of turn `turns`, the present state saved first; raises `SnapshotFailed`.

    What the session's run changed in the broken turn is told from what somebody changed later: by the snapshot that it
    took at its end, and after a kill, where there is none, by when it was last alive.
    """
    names = snapshots.names(session.session)
    target = names.get(str(turns))
    if target is None:
        return Turned()
    saved = snapshots.take(
        session.session, f"before-resume-{sum(name.startswith('before-resume') for name in names) + 1}"
    ).commit
    last_seen = names[END] if _ended_after(names, str(turns)) else None
    steps = plan(snapshots, target, last_seen, newest=saved)
    if not _ended_after(names, str(turns)):
        steps = by_time(snapshots, steps, int(last_alive(session) * 1e9))
    apply(snapshots, steps.own, target, saved)
    foreign = tuple(step.path for step in steps.steps if step.foreign)
    return Turned(tuple(step.path for step in steps.own.steps), foreign)


def _ended_after(names: dict[str, str], turn: str) -> bool:
    """Whether the run's last part came to its end: its last snapshot in order is the one taken there."""
    order = [name for name in names if not name.startswith("before-resume")]
    return END in names and order.index(END) > order.index(turn)
