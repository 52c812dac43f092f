"""Taking back what a session changed, and taking that back: first judged, then done between two snapshots."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from super_agent.core.snapshots.history import BEFORE, REDO, UNDO, History, changes, permissions, values
from super_agent.core.snapshots.restore import RestorePlan, apply, plan, present_tree
from super_agent.core.snapshots.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Undo:
    """From the present state to the snapshot `target`. `kind` names the snapshots around it: undo or redo."""

    kind: str
    target: str
    steps: RestorePlan

    @property
    def foreign(self) -> RestorePlan:
        """The steps that would lose what is not the session's work."""
        return self.steps.only(step for step in self.steps.steps if step.foreign)


Judge = Callable[[RestorePlan], tuple[RestorePlan, set[str]]]
"""Tells a broken turn's own steps from others', which are foreign, and names the paths of which that is not known."""


def judged_undo(snapshots: Snapshots, session: str, history: History, target: str, judge: Judge) -> Undo:
    """What leads back to `target`: what the session changed, and nothing else.

    A file is foreign when it is not as any of the session's snapshots saw it. After a kill none saw what the last turn
    did: then `judge` tells.
    """
    own = values(snapshots, session)
    now = present_tree(snapshots)
    steps = plan(snapshots, target, newest=history.newest, now=now)
    judged, unknown = judge(steps) if not history.is_whole else (RestorePlan(()), set[str]())
    by_run = {step.path for step in judged.own.steps}
    found = []
    for step in steps.steps:
        if step.path in own or step.path in by_run or step.path in unknown:
            is_own = step.path in by_run or now.get(step.path) in own.get(step.path, ())
            found.append(replace(step, foreign=not is_own))
    return Undo("undo", target, steps.only(found))


def judged_redo(snapshots: Snapshots, before: str, after: str) -> Undo:
    """What takes an undo back that led from the snapshot `before` to `after`."""
    touched = {*changes(snapshots, before, after).paths, *(p for p, _ in permissions(snapshots, before, after))}
    steps = plan(snapshots, before, after, newest=after)
    return Undo("redo", before, steps.only(step for step in steps.steps if step.path in touched))


def by_time(snapshots: Snapshots, steps: RestorePlan, alive_ns: int) -> RestorePlan:
    """The steps judged by when a path was last changed; bringing back one that is missing now loses nothing."""
    facts = snapshots.workspace.facts()
    late = {path for path, seen in facts.items() if seen[3] > alive_ns}
    return steps.only(replace(step, foreign=step.path in late) for step in steps.steps)


def carry_out(snapshots: Snapshots, session: str, undo: Undo, steps: RestorePlan) -> None:
    """Apply `steps` of it, the state before and after kept; raises `SnapshotFailed`, the rest done and kept."""
    mark = UNDO if undo.kind == "undo" else REDO
    number = sum(name.startswith(mark) for name in snapshots.names(session)) + 1
    saved = snapshots.take(session, f"{BEFORE}{undo.kind}-{number}").commit
    try:
        apply(snapshots, steps, undo.target, saved)
    finally:
        snapshots.take(session, f"{mark}{number}")
