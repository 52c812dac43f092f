"""`undo`: what a session changed is taken back, after it was shown; and an undo is taken back in the same way."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from super_agent.cli.say import say, say_json
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import UsageError
from super_agent.core.sanitize import printable_path
from super_agent.core.snapshots.restore import RestorePlan, RestoreStep
from super_agent.core.snapshots.undo import Undo, carry_out
from super_agent.session.messages.run_messages import counted
from super_agent.session.session_history import SessionHistory, history_of
from super_agent.session.undo import redo_of, undo_of

WORDS = {"create": "bring back", "replace": "restore", "delete": "delete"}


@dataclass(frozen=True, slots=True)
class UndoArguments:
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


def main(ask: UndoArguments, env_file: Path | None) -> int:
    """Show what would change, ask, and do it; raises `UsageError`, `SnapshotFailed`."""
    if ask.redo + ask.before_resume + (ask.to_turn is not None) > 1:
        raise UsageError("more than one of --redo, --to-turn and --before-resume was given", fix="Give one of them")
    with history_of(ask.session, ask.workspace, env_file, hold=True) as found:
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


def _judged(found: SessionHistory, ask: UndoArguments) -> Undo:
    if ask.redo:
        return redo_of(found, ask.files)
    return undo_of(found, to_turn=ask.to_turn, before_resume=ask.before_resume, files=ask.files)


def _agreed(ask: UndoArguments, steps: RestorePlan) -> bool:
    """Whether the user wants it; raises `UsageError` where nobody can say."""
    if ask.yes:
        return True
    how_many = counted(len(steps.steps), "file")
    if ask.json or not sys.stdin.isatty():
        raise UsageError(f"nobody was asked whether {how_many} may be changed", fix="Say --yes to do it without asking")
    with Terminal.open() as terminal:
        return terminal.confirm(f"Change {how_many}?")


def _show(found: SessionHistory, ask: UndoArguments, undo: Undo) -> None:
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


def _list(steps: Iterable[RestoreStep]) -> None:
    for step in steps:
        _say(f"  {WORDS[step.kind]:<10}  {printable_path(step.path)}")


def _tell_end(found: SessionHistory, ask: UndoArguments, undo: Undo, steps: RestorePlan, *, done: bool) -> None:
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
