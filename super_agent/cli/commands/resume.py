"""`resume`: a run goes on from its last complete turn, with the same transcript, after whatever ended it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent.cli.commands.run import Options, carry_out
from super_agent.cli.commands.undo import shown
from super_agent.cli.render.choice import Renderer, choose_renderer
from super_agent.cli.render.wording import MORE
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.errors import SessionUnknown, UsageError
from super_agent.core.events import EndReason, Notice, RunResumed, UserSpoke
from super_agent.core.settings import Settings, load_settings
from super_agent.core.state import SessionFolder
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.session import wiring
from super_agent.session.begun import Begun, begun
from super_agent.session.choice import chosen
from super_agent.session.record import Record, open_snapshots
from super_agent.session.rollback import Turned, turn_back
from super_agent.session.run_state import Restored, RunState

GO_ON = "Go on, and try another way than before."


@dataclass(frozen=True, slots=True)
class Ask:
    """What the command line said. `instruction` is added to a run that had ended."""

    session: str | None
    instruction: str | None
    workspace: Path
    more_turns: int | None
    json: bool
    strict_instance: bool


def main(ask: Ask, flags: Mapping[str, Any], env_file: Path | None) -> int:
    """Go on with a session; returns the exit code. Raises `SuperAgentError` for what is wrong before it goes on."""
    given = load_settings(flags, env_file=env_file)
    with Store.open(given.state_dir) as store:
        row = chosen(store, ask.session, ask.workspace)
        kept = store.last_checkpoint(row.id)
        if kept is None:
            return _begin_again(ask, flags, env_file, row, _begun(given, row), store)
        state, seq = RunState.from_json(kept.state), kept.seq
        lines = tuple(s.event.text for s in store.events(row.id) if s.seq > seq and isinstance(s.event, UserSpoke))
        settings = _settings(ask, flags, env_file, row, state)
        renderer = choose_renderer(ask.json, sys.stdout)
        with Terminal.open(renderer.typing) as terminal:
            try:
                return _go_on(ask, row, state, lines, settings, store, renderer, terminal)
            finally:
                renderer.close()


def _go_on(
    ask: Ask,
    row: SessionRow,
    state: RunState,
    lines: tuple[str, ...],
    settings: Settings,
    store: Store,
    renderer: Renderer,
    terminal: Terminal,
) -> int:
    instruction = ask.instruction or (GO_ON if row.reason == "no_progress" else "")
    python = Path(state.python) if state.python is not None else None
    recorder = store.continue_session(row.id)
    with recorder, wiring.lay_ground(settings, Path(row.workspace), python, (renderer,), row.id) as ground:
        options = Options(
            None, None, ground.workspace.root, state.check, None, False, state.mode, python, ask.json,
            ask.strict_instance,
        )  # fmt: skip
        snapshots = open_snapshots(ground)
        turned = Turned()
        if snapshots is not None:
            turned = turn_back(snapshots, ground.session, state.turns, _agree(ask, terminal))
        ground.before = ground.workspace.state()
        facts = RunResumed(
            state.task, state.mode, row.workspace, settings.model, settings.base_url, state.check, settings.sandbox,
            wiring.limits(settings), state.turns, instruction, turned.rolled_back, turned.changed_meanwhile,
            settings.network,
        )  # fmt: skip
        record = Record.go_on(ground, recorder, snapshots, facts)
        _tell(ground, turned)
        restored = Restored(state.work, _note(turned), instruction, lines)
        return carry_out(record, options, state.task, renderer, terminal, state, restored)


def _begin_again(
    ask: Ask, flags: Mapping[str, Any], env_file: Path | None, row: SessionRow, asked: Begun, store: Store
) -> int:
    """A run that was ended before its first turn, from its beginning."""
    state = asked.state
    settings = _settings(ask, flags, env_file, row, state)
    python = Path(state.python) if state.python is not None else None
    task = f"{state.task}\n\n{ask.instruction}" if ask.instruction else state.task
    options = Options(
        None, None, Path(row.workspace), state.check, asked.setup, asked.yes, state.mode, python, ask.json,
        ask.strict_instance,
    )  # fmt: skip
    renderer = choose_renderer(ask.json, sys.stdout)
    with Terminal.open(renderer.typing) as terminal:
        try:
            recorder = store.continue_session(row.id)
            with recorder, wiring.lay_ground(settings, options.workspace, python, (renderer,), row.id) as ground:
                record = Record.begin_again(ground, recorder, wiring.started(ground, task, options.mode, options.check))
                return carry_out(record, options, task, renderer, terminal)
        finally:
            renderer.close()


def _begun(settings: Settings, row: SessionRow) -> Begun:
    asked = begun(SessionFolder(settings.state_dir, row.id))
    if asked is None:
        raise SessionUnknown(
            f"session {row.id} has nothing to go on from: it ended before its first turn could begin",
            fix="Give the task again with super-agent run",
        )
    return asked


def _agree(ask: Ask, terminal: Terminal) -> Callable[[tuple[str, ...]], bool]:
    """Asks where somebody can answer."""

    def agree(paths: tuple[str, ...]) -> bool:
        if ask.json or not terminal.can_answer or not sys.stdin.isatty():
            return False
        names = ", ".join(shown(path) for path in paths)
        question = f"Changed while code of the broken turn ran, by it or by somebody else: {names}. Take it back?"
        return terminal.confirm(question)

    return agree


def _tell(ground: wiring.Ground, turned: Turned) -> None:
    back = f"super-agent undo {ground.session.session} --before-resume"
    if turned.doubtful:
        names = ", ".join(shown(path) for path in turned.doubtful)
        text = f"kept, as it cannot be told whether the broken turn's code or somebody else changed it: {names}"
        ground.emit(Notice("warning", text, f"Look at it; all is as it was before with {back}"))
    elif turned.rolled_back:
        ground.emit(Notice("info", "what the broken turn had changed is kept too", f"To have it back: {back}"))


def _settings(ask: Ask, flags: Mapping[str, Any], env_file: Path | None, row: SessionRow, state: RunState) -> Settings:
    """The session's own model, server and limits, where the command line says nothing else; limits go on counting."""
    _require_something_to_do(ask, flags, row)
    given = {name: value for name, value in flags.items() if value is not None}
    turns, seconds, tokens = (state.limits[name] for name in ("turns", "seconds", "tokens"))
    extended = ask.instruction is not None or row.reason == "no_progress"
    if ask.more_turns is not None:
        turns = state.turns + ask.more_turns
    elif extended and turns is not None:
        turns += state.turns
    if extended and seconds is not None:
        seconds += state.elapsed_s
    if extended and tokens is not None:
        tokens += sum(t.prompt_tokens + t.completion_tokens for t in state.totals.values())
    own = {
        "model": state.model, "base_url": state.base_url, "max_turns": turns, "max_time_s": seconds,
        "max_tokens": tokens,
    }  # fmt: skip
    return load_settings({**own, **given}, env_file=env_file)


def _require_something_to_do(ask: Ask, flags: Mapping[str, Any], row: SessionRow) -> None:
    """A run that ended by itself goes on only with something new: an instruction, or more of what ran out."""
    if row.state != "ended" or ask.instruction is not None:
        return
    given: dict[EndReason, object] = {
        "turn_limit": ask.more_turns,
        "time_limit": flags.get("max_time_s"),
        "token_limit": flags.get("max_tokens"),
    }
    for limit, more in given.items():
        if row.reason == limit and more is None:
            raise UsageError(f"session {row.id} ended at its limit: {row.detail}", fix=f"Give it{MORE[limit]}")
    if row.reason in ("check_passed", "accepted", "finished") or (row.reason == "no_progress" and not ask.more_turns):
        raise UsageError(
            f"session {row.id} has ended: {row.detail}",
            fix=f'Say what is to be done next: super-agent resume {row.id} "…"',
        )


def _note(turned: Turned) -> str:
    """What the team is told about changes that are not its own."""
    if not turned.changed_meanwhile:
        return ""
    names = ", ".join(shown(path) for path in turned.changed_meanwhile)
    return f"While nobody worked, the user changed these files: {names}."
