"""`undo`: what a session changed is taken back, after it was shown; and an undo is taken back in the same way."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from super_agent.cli.say import say, say_json
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import UsageError
from super_agent.core.sanitize import printable_path
from super_agent.core.snapshots.restore import Plan, Step
from super_agent.core.snapshots.undo import Undo, carry_out, judged_redo, judged_undo
from super_agent.session.history import Past, known_turns, past
from super_agent.session.narrate.wording import counted
from super_agent.session.rollback import judged

WORDS = {"create": "bring back", "replace": "restore", "delete": "delete"}


@dataclass(frozen=True, slots=True)
class Ask:
    """What the command line said. `files` are paths in the workspace; none means all."""

    session: str | None
    to_turn: int | None
    files: tuple[str, ...]
    workspace: Path
    yes: bool
    force: bool
    redo: bool
    json: bool
    before_resume: bool = False


def main(ask: Ask, env_file: Path | None) -> int:
    """Show what would change, ask, and do it; raises `UsageError`, `SnapshotFailed`."""
    if ask.redo + ask.before_resume + (ask.to_turn is not None) > 1:
        raise UsageError("more than one of --redo, --to-turn and --before-resume was given", fix="Give one of them")
    with past(ask.session, ask.workspace, env_file, hold=True) as found:
        undo = _judged(found, ask)
        steps = undo.steps if ask.force else undo.steps.own
        if not ask.json:
            _show(found, ask, undo)
        if steps.steps and _agreed(ask, steps):
            carry_out(found.snapshots, found.session.session, undo, steps)
            done = True
        else:
            done = False
        _tell_end(found, ask, undo, steps, done=done)
    return 0


def _judged(found: Past, ask: Ask) -> Undo:
    undo = _redo(found) if ask.redo else _undo(found, ask)
    if not ask.files:
        return undo
    paths = [_inside(path, found.snapshots.workspace.root) for path in ask.files]
    steps = undo.steps.of(paths)
    for given, path in zip(ask.files, paths, strict=True):
        if not steps.of([path]).steps:
            raise UsageError(
                f"session {found.session.session} has nothing to take back in {given}",
                fix="See super-agent diff --stat for what it changed",
            )
    return Undo(undo.kind, undo.target, steps)


def _undo(found: Past, ask: Ask) -> Undo:
    to_turn = ask.to_turn
    if ask.before_resume:
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

    def judge(steps: Plan) -> tuple[Plan, set[str]]:
        return judged(found.snapshots, found.session, steps)

    return judged_undo(found.snapshots, found.session.session, found.history, target, judge)


def _redo(found: Past) -> Undo:
    undone = found.history.undone()
    if undone is None:
        raise UsageError(
            f"session {found.session.session} has no undo that could be taken back", fix="Leave out --redo to undo it"
        )
    return judged_redo(found.snapshots, *undone)


def _agreed(ask: Ask, steps: Plan) -> bool:
    """Whether the user wants it; raises `UsageError` where nobody can say."""
    if ask.yes:
        return True
    how_many = counted(len(steps.steps), "file")
    if ask.json or not sys.stdin.isatty():
        raise UsageError(f"nobody was asked whether {how_many} may be changed", fix="Say --yes to do it without asking")
    with Terminal.open() as terminal:
        return terminal.confirm(f"Change {how_many}?")


def _show(found: Past, ask: Ask, undo: Undo) -> None:
    session = found.session.session
    if ask.redo:
        where = f"the last undo of session {session} is taken back"
    elif ask.before_resume:
        where = f"session {session}: back to before its last resume"
    elif ask.to_turn:
        where = f"session {session}: back to the end of turn {ask.to_turn}"
    else:
        where = f"session {session}: back to before its first change"
    _say(where)
    _list(undo.steps.steps if ask.force else undo.steps.own.steps)
    foreign = undo.foreign.steps
    if foreign:
        fate = "is lost (but kept for --redo)" if ask.force else "stays; --force takes it back too"
        _say(f"changed since by somebody else, which {fate}:")
        _list(foreign)
    left_out = sorted({*found.snapshots.note(undo.target).left_out, *undo.steps.unkept})
    if left_out:
        _say(f"not reversible, as {counted(len(left_out), 'file')} too large or unreadable was not kept:")
        for path in left_out:
            _say(f"  {printable_path(path)}")


def _list(steps: Iterable[Step]) -> None:
    for step in steps:
        _say(f"  {WORDS[step.kind]:<10}  {printable_path(step.path)}")


def _tell_end(found: Past, ask: Ask, undo: Undo, steps: Plan, *, done: bool) -> None:
    session = found.session.session
    if ask.json:
        changed = [{"path": step.path, "action": step.kind} for step in steps.steps if done]
        kept = [] if ask.force else [step.path for step in undo.foreign.steps]
        facts = {"version": 1, "session": session, "kind": undo.kind, "changed": changed, "kept": kept}
        say_json(facts)
    elif done:
        back = f"super-agent undo {session}" + ("" if undo.kind == "redo" else " --redo")
        _say(f"done: {counted(len(steps.steps), 'file')}. Taken back by: {back}")
    else:
        _say("nothing was changed" if steps.steps else "nothing to change")


def _say(line: str) -> None:
    say(f"{line}\n")


def _inside(path: str, root: Path) -> str:
    """A path as snapshots name it; raises `UsageError` for one outside."""
    pure = PurePosixPath(os.path.normpath(root / path))
    if root not in Path(pure).parents:
        raise UsageError(f"--file {path} lies outside of the workspace {root}", fix="Name a file inside of it")
    return str(pure.relative_to(root))
