"""What taking back a session, or an undo of it, would change; `carry_out` of the snapshots does it."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from super_agent.core.errors import UsageError
from super_agent.core.snapshots.restore import RestorePlan
from super_agent.core.snapshots.undo import Undo, judged_redo, judged_undo
from super_agent.session.rollback import judged
from super_agent.session.session_history import SessionHistory, known_turns


def undo_of(
    found: SessionHistory, *, to_turn: int | None = None, before_resume: bool = False, files: Sequence[str] = ()
) -> Undo:
    """What leads back to the end of turn `to_turn`, to before the last resume, or to before the first change.

    Of `files` alone where they are named. Raises `UsageError`, `SnapshotFailed`.
    """
    if before_resume:
        target = found.history.before_resume
        if target is None:
            raise UsageError(
                f"session {found.session.session} was never resumed",
                fix="Say --to-turn N, or neither to undo all of it",
            )
    else:
        target = found.history.after_turn(to_turn) if to_turn is not None else found.history.first
    if target is None:
        raise UsageError(
            f"session {found.session.session} has no snapshot from the end of turn {to_turn}",
            fix=known_turns(found.history),
        )

    def judge(steps: RestorePlan) -> tuple[RestorePlan, set[str]]:
        return judged(found.snapshots, found.session, steps)

    return _only(found, judged_undo(found.snapshots, found.session.session, found.history, target, judge), files)


def redo_of(found: SessionHistory, files: Sequence[str] = ()) -> Undo:
    """What takes the last undo back. Raises `UsageError`, `SnapshotFailed`."""
    undone = found.history.undone()
    if undone is None:
        raise UsageError(
            f"session {found.session.session} has no undo that could be taken back", fix="Leave out --redo to undo it"
        )
    return _only(found, judged_redo(found.snapshots, *undone), files)


def _only(found: SessionHistory, undo: Undo, files: Sequence[str]) -> Undo:
    if not files:
        return undo
    paths = [_inside(path, found.snapshots.workspace.root) for path in files]
    steps = undo.steps.of(paths)
    for given, path in zip(files, paths, strict=True):
        if not steps.of([path]).steps:
            raise UsageError(
                f"session {found.session.session} has nothing to take back in {given}",
                fix="See super-agent diff --stat for what it changed",
            )
    return Undo(undo.kind, undo.target, steps)


def _inside(path: str, root: Path) -> str:
    """A path as snapshots name it; raises `UsageError` for one outside."""
    pure = PurePosixPath(os.path.normpath(root / path))
    if root not in Path(pure).parents:
        raise UsageError(f"--file {path} lies outside of the workspace {root}", fix="Name a file inside of it")
    return str(pure.relative_to(root))
