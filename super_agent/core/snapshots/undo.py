"""Taking back what a session changed, and taking that back: first judged, then done between two snapshots."""

from dataclasses import dataclass, replace

from super_agent.core.snapshots.history import BEFORE, REDO, UNDO, History, changes
from super_agent.core.snapshots.restore import Plan, apply, plan
from super_agent.core.snapshots.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Undo:
    """From the present state to the snapshot `target`. `kind` names the snapshots around it: undo or redo."""

    kind: str
    target: str
    steps: Plan

    @property
    def foreign(self) -> Plan:
        """The steps that would lose what is not the session's work."""
        return Plan(tuple(step for step in self.steps.steps if step.foreign))


def judged_undo(snapshots: Snapshots, history: History, target: str, alive_ns: int) -> Undo:
    """What leads back to `target`: what the session changed since, and nothing else.

    After a kill no snapshot tells what its last turn did: then a file is the session's work when it was last changed
    before `alive_ns`, when the run was last alive.
    """
    steps = plan(snapshots, target, history.last_seen)
    if not history.is_whole:
        steps = by_time(snapshots, steps, alive_ns)
    touched = {*changes(snapshots, target, history.last_seen).paths}
    wanted = tuple(s for s in steps.steps if s.path in touched or (not history.is_whole and not s.foreign))
    return Undo("undo", target, Plan(wanted))


def judged_redo(snapshots: Snapshots, before: str, after: str) -> Undo:
    """What takes an undo back that led from the snapshot `before` to `after`."""
    touched = {*changes(snapshots, before, after).paths}
    steps = plan(snapshots, before, after).steps
    return Undo("redo", before, Plan(tuple(step for step in steps if step.path in touched)))


def by_time(snapshots: Snapshots, steps: Plan, alive_ns: int) -> Plan:
    """The steps judged by when a path was last changed; bringing back one that is missing now loses nothing."""
    changed_ns = {path: info.st_ctime_ns for path, info in snapshots.workspace.entries()}
    return Plan(tuple(replace(step, foreign=changed_ns.get(step.path, 0) > alive_ns) for step in steps.steps))


def carry_out(snapshots: Snapshots, session: str, undo: Undo, steps: Plan) -> None:
    """Apply `steps` of it, the state before and after kept; raises `SnapshotFailed`."""
    mark = UNDO if undo.kind == "undo" else REDO
    number = sum(name.startswith(mark) for name in snapshots.names(session)) + 1
    snapshots.take(session, f"{BEFORE}{undo.kind}-{number}")
    apply(snapshots, steps, undo.target)
    snapshots.take(session, f"{mark}{number}")
