"""A run goes on from its last complete turn, with the same transcript, after whatever ended it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent.core.errors import SessionUnknown, UsageError
from super_agent.core.events import EndReason, Notice, RunResumed, UserSpoke
from super_agent.core.sanitize import printable_path
from super_agent.core.settings import Settings, load_settings
from super_agent.core.state import SessionFolder
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.session import run_events
from super_agent.session.messages.run_messages import MORE
from super_agent.session.rollback import RolledBack, roll_back
from super_agent.session.run import carry_out
from super_agent.session.run_context import RunContext, open_context
from super_agent.session.run_options import Door, ResumeOptions, RunOptions, RunResult
from super_agent.session.run_persistence import RunPersistence, open_snapshots
from super_agent.session.run_request import RunRequest, kept_request
from super_agent.session.run_state import Restored, RunState
from super_agent.session.sandbox_policy import require_program
from super_agent.session.session_lookup import find_session
from super_agent.tools.listed import require_listed

GO_ON = "Go on, and try another way than before."


@dataclass(frozen=True, slots=True)
class Resumption:
    """A session that can go on. `lines` are what the person had said in the turn that was not completed."""

    options: ResumeOptions
    settings: Settings
    store: Store
    row: SessionRow
    state: RunState
    lines: tuple[str, ...]

    def run(self, door: Door) -> RunResult:
        """Take back what a broken turn left and go on to the end; raises `SuperAgentError` where it cannot begin."""
        ask, settings, row, state = self.options, self.settings, self.row, self.state
        instruction = ask.instruction or (GO_ON if row.reason == "no_progress" else "")
        python = Path(state.python) if state.python is not None else None
        check = ask.check_after(state.check)
        require_listed(self.settings)
        recorder = self.store.continue_session(row.id)
        with recorder, open_context(settings, Path(row.workspace), python, door.sinks, row.id) as context:
            if check is not None and check != state.check:
                require_program(context.policy, check)
            options = RunOptions(
                state.task, context.workspace.root, state.mode, check, python=python,
                strict_instance=ask.strict_instance,
            )  # fmt: skip
            snapshots = open_snapshots(context)
            turned = RolledBack()
            if snapshots is not None:
                turned = roll_back(snapshots, context.session, state.turns, lambda paths: _agree(door, paths))
            context.before = context.workspace.state()
            resumed = RunResumed(
                state.task, state.mode, str(context.workspace.root), settings.model, settings.base_url, check,
                settings.sandbox, run_events.limits(settings), state.turns, instruction, turned.rolled_back,
                turned.changed_meanwhile, settings.network, settings.mcp,
            )  # fmt: skip
            record = RunPersistence.go_on(context, recorder, snapshots, resumed)
            _tell(context, turned)
            restored = Restored(state.work, _note(turned), instruction, self.lines)
            return carry_out(record, options, door, state, restored)


@dataclass(frozen=True, slots=True)
class Restart:
    """A session that was ended before its first turn: it goes on from its beginning."""

    options: ResumeOptions
    settings: Settings
    store: Store
    row: SessionRow
    request: RunRequest

    def run(self, door: Door) -> RunResult:
        """Begin again and go on to the end; raises `SuperAgentError` where it cannot begin."""
        ask, row, state = self.options, self.row, self.request.state
        python = Path(state.python) if state.python is not None else None
        task = f"{state.task}\n\n{ask.instruction}" if ask.instruction else state.task
        options = RunOptions(
            task, Path(row.workspace), state.mode, ask.check_after(state.check), self.request.setup, self.request.yes,
            python, ask.strict_instance,
        )  # fmt: skip
        require_listed(self.settings)
        recorder = self.store.continue_session(row.id)
        with recorder, open_context(self.settings, options.workspace, python, door.sinks, row.id) as context:
            started = run_events.started(context, task, options.mode, options.check)
            return carry_out(RunPersistence.begin_again(context, recorder, started), options, door)


@contextmanager
def open_resumption(
    options: ResumeOptions, flags: Mapping[str, Any], env_file: Path | None
) -> Iterator[Resumption | Restart]:
    """Find the session and what it goes on from; raises `SuperAgentError` for what stands in the way.

    `flags` are settings by name; those that are None or absent are the session's own.
    """
    given = load_settings(flags, env_file=env_file)
    with Store.open(given.state_dir) as store:
        row = find_session(store, options.session, options.workspace)
        kept = store.last_checkpoint(row.id)
        if kept is None:
            asked = _request(given, row)
            flags = {"trust_instructions": asked.trust_instructions or None, **flags}
            yield Restart(options, _settings(options, flags, env_file, row, asked.state), store, row, asked)
            return
        state, seq = RunState.from_json(kept.state), kept.seq
        lines = tuple(s.event.text for s in store.events(row.id) if s.seq > seq and isinstance(s.event, UserSpoke))
        settings = _settings(options, flags, env_file, row, state)
        yield Resumption(options, settings, store, row, state, lines)


def _request(settings: Settings, row: SessionRow) -> RunRequest:
    asked = kept_request(SessionFolder(settings.state_dir, row.id))
    if asked is None:
        raise SessionUnknown(
            f"session {row.id} has nothing to go on from: it ended before its first turn could begin",
            fix="Give the task again with super-agent run",
        )
    return asked


def _agree(door: Door, paths: tuple[str, ...]) -> bool:
    names = ", ".join(printable_path(path) for path in paths)
    return door.confirm(f"Changed while code of the broken turn ran, by it or by somebody else: {names}. Take it back?")


def _tell(context: RunContext, turned: RolledBack) -> None:
    back = f"super-agent undo {context.session.session} --before-resume"
    if turned.doubtful:
        names = ", ".join(printable_path(path) for path in turned.doubtful)
        text = f"kept, as it cannot be told whether the broken turn's code or somebody else changed it: {names}"
        context.emit(Notice("warning", text, f"Look at it; all is as it was before with {back}"))
    elif turned.rolled_back:
        context.emit(Notice("info", "what the broken turn had changed is kept too", f"To have it back: {back}"))


def _settings(
    ask: ResumeOptions, flags: Mapping[str, Any], env_file: Path | None, row: SessionRow, state: RunState
) -> Settings:
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
        "max_tokens": tokens, "mcp": state.mcp,
    }  # fmt: skip
    return load_settings({**own, **given}, env_file=env_file)


def _require_something_to_do(ask: ResumeOptions, flags: Mapping[str, Any], row: SessionRow) -> None:
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


def _note(turned: RolledBack) -> str:
    """What the team is told about changes that are not its own."""
    if not turned.changed_meanwhile:
        return ""
    names = ", ".join(printable_path(path) for path in turned.changed_meanwhile)
    return f"While nobody worked, the user changed these files: {names}."
