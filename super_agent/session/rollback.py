"""Before a run goes on: what a turn that was not completed left behind is taken back, what others did is kept."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from super_agent.core.snapshots.history import END
from super_agent.core.snapshots.restore import RestorePlan, RestoreStep, apply, plan
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.undo import by_time
from super_agent.core.state import SessionFolder, last_alive
from super_agent.session.file_change_journal import JournalEntry, journal_entries

BEFORE_RESUME, RESUMED = "before-resume-", "resumed-"
Agree = Callable[[tuple[str, ...]], bool]
"""Whether these files, of which nobody can tell who changed them, may be taken back too."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Paths, sorted. `doubtful` are those of `changed_meanwhile` of which it cannot be told who changed them."""

    rolled_back: tuple[str, ...] = ()
    changed_meanwhile: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def roll_back(snapshots: Snapshots, session: SessionFolder, turns: int, agree: Agree = lambda _: False) -> RolledBack:
    """Bring the workspace to the end of turn `turns`, the state before and after it saved; raises `SnapshotFailed`.

    Taken back is what was last changed by our own writes and code runs of the broken turn, as its journal tells.
    """
    names = snapshots.names(session.session)
    target = names.get(str(turns))
    if target is None:
        return RolledBack()
    number = sum(name.startswith(BEFORE_RESUME) for name in names) + 1
    saved = snapshots.take(session.session, f"{BEFORE_RESUME}{number}").commit
    last_seen = names[END] if _ended_after(names, str(turns)) else None
    steps, doubtful = judged(snapshots, session, plan(snapshots, target, last_seen, newest=saved))
    if doubtful and agree(tuple(sorted(doubtful))):
        steps = steps.only(replace(step, foreign=step.foreign and step.path not in doubtful) for step in steps.steps)
        doubtful = set()
    apply(snapshots, steps.own, target, saved)
    snapshots.take(session.session, f"{RESUMED}{number}")
    foreign = tuple(step.path for step in steps.steps if step.foreign)
    return RolledBack(tuple(step.path for step in steps.own.steps), foreign, tuple(sorted(doubtful)))


def judged(snapshots: Snapshots, session: SessionFolder, steps: RestorePlan) -> tuple[RestorePlan, set[str]]:
    """The steps told apart into the broken turn's own and others', and the paths of which that cannot be told.

    Those are foreign in the plan. A session without a journal is judged by when it was last alive.
    """
    alive_ns = int(last_alive(session) * 1e9)
    known = journal_entries(session)
    if known is None:
        return by_time(snapshots, steps, alive_ns), set()
    found, doubtful = [], set()
    for step in steps.steps:
        fate = _whose(snapshots, step, known, alive_ns) if not step.foreign else "others"
        found.append(replace(step, foreign=fate != "own"))
        if fate == "unknown":
            doubtful.add(step.path)
    return steps.only(found), doubtful


def _whose(snapshots: Snapshots, step: RestoreStep, known: Collection[JournalEntry], alive_ns: int) -> str:
    """`own`, `others` or `unknown`: by when the path was last changed, and whether what ran then names it.

    Of one that is gone the folder tells when; bringing it back loses nothing.
    """
    place, facts = step.path, snapshots.workspace.facts_of(step.path)
    gone = facts is None
    while facts is None and "/" in place:
        place = place.rpartition("/")[0]
        facts = snapshots.workspace.facts_of(place)
    at_ns = facts[3] if facts is not None else snapshots.workspace.changed_ns()
    around = [entry for entry in known if entry.spans(at_ns, alive_ns)]
    if gone:
        ran = [entry for entry in known if entry.path is None]
        late = any(entry.began_ns <= at_ns and entry.names(step.path) for entry in ran)
        return "own" if late or any(entry.path in (None, step.path) for entry in around) else "others"
    if any(entry.names(step.path) for entry in around):
        return "own"
    return "unknown" if around else "others"


def _ended_after(names: dict[str, str], turn: str) -> bool:
    """Whether the run's last part came to its end: its last snapshot in order is the one taken there."""
    order = [name for name in names if not name.startswith((BEFORE_RESUME, RESUMED))]
    return END in names and order.index(END) > order.index(turn)
