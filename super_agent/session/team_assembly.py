"""The team built for a `run`: the only module of this room that imports AutoGen."""

import logging

from super_agent.core.edits.editor import Editor
from super_agent.core.events import EndReason
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.sampling import first_sampling
from super_agent.session import attempt_snapshots, run_assembly
from super_agent.session.run_assembly import Assignment, RunHandle
from super_agent.session.run_context import RunContext
from super_agent.session.run_state import Restored, TeamState, WorkState
from super_agent.team.composition import composition
from super_agent.team.parts import TeamParts
from super_agent.team.run import TeamRun
from super_agent.team.transcript import Entry


def assemble_team(given: Assignment) -> RunHandle:
    """Build the team; its processes start when they are first needed."""
    # It would print a member's error with its traceback; the run carries the original and ends with it.
    logging.getLogger("autogen_core").setLevel(logging.CRITICAL + 1)
    parts = _parts(given)
    run = TeamRun(parts)

    def keep(turns: int) -> None:
        given.boundary(turns, WorkState(parts.executor.conversation, team=TeamState(run.transcript, run.began_green)))

    parts.at_boundary = keep
    if given.restored is not None:
        _restore(run, given.restored)

    async def start() -> tuple[EndReason, str]:
        try:
            end = await run.run(given.task)
        finally:
            await parts.llm.aclose()
        return end.reason, end.detail

    return RunHandle(start, run.stop, lambda: run.turns)


def _parts(given: Assignment) -> TeamParts:
    context, model_session, restored = given.context, given.model_session, given.restored
    settings, ready = context.settings, model_session.ready
    run_assembly.register(context, model_session, "autogen")

    def go_back(left: int, turn: int, was_left: bool, paths: tuple[str, ...]) -> tuple[str, ...] | None:
        return attempt_snapshots.go_back(context, left, attempt_snapshots.state_after(turn, left=was_left), paths)

    return TeamParts(
        llm=LLMClient(settings, model_session.middleware, ready.loaded.context_length, emit=context.emit),
        details=ready.details,
        workspace=context.workspace,
        editor=Editor(context.workspace, context.emit, lambda path, original: _before_write(context, path, original)),
        executor=run_assembly.build_executor(context, model_session, restored.work if restored else None),
        check=run_assembly.build_check(context, given.check),
        emit=context.emit,
        max_turns=settings.max_turns,
        user_lines=given.user_lines,
        project=given.project,
        at_turn_start=model_session.at_turn_start,
        model_sums_up=settings.compaction == "model",
        composition=composition(settings, ready.details),
        go_back=go_back,
        spare_slots=lambda: run_assembly.spare_slots(settings, model_session),
        sampling=first_sampling(settings, context.session.session),
    )


def _before_write(context: RunContext, path: str, original: bytes | None) -> None:
    context.session.save_original(path, original)
    if context.journal is not None:
        context.journal.writing(path)


def _restore(run: TeamRun, restored: Restored) -> None:
    if restored.work.team is None:
        raise RuntimeError("a team goes on from a team's state")
    run.transcript, run.began_green = restored.work.team.transcript, restored.work.team.began_green
    run.instruction = restored.instruction
    if restored.note:
        run.transcript.append(Entry("user", restored.note))
