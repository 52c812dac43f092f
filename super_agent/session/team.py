"""The team as work for `run`: the only command module that imports AutoGen."""

import logging
from collections.abc import Callable, Sequence

from super_agent.core.edits.editor import Editor
from super_agent.core.events import EndReason
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.sampling import first_sampling
from super_agent.session import attempt_states, wiring
from super_agent.session.run_state import Restored, WorkState
from super_agent.session.work import Boundary, Work
from super_agent.team.composition import composition
from super_agent.team.run import TeamParts, TeamRun
from super_agent.team.transcript import Entry, Transcript


def team_work(
    context: wiring.RunContext,
    model_session: wiring.ModelSession,
    check: str | None,
    task: str,
    user_lines: Callable[[], Sequence[str]],
    boundary: Boundary,
    restored: Restored | None,
) -> Work:
    """Build the team, where it stood if `restored` is given; its processes start when they are first needed."""
    settings = context.settings
    # It would print a member's error with its traceback; the run carries the original and ends with it.
    logging.getLogger("autogen_core").setLevel(logging.CRITICAL + 1)
    wiring.register(context, model_session, "autogen")
    llm = LLMClient(settings, model_session.middleware, model_session.ready.loaded.context_length, emit=context.emit)
    executor = wiring.build_executor(context, model_session, restored.work if restored else None)

    def before_write(path: str, original: bytes | None) -> None:
        context.session.save_original(path, original)
        if context.journal is not None:
            context.journal.writing(path)

    def keep(turns: int) -> None:
        boundary(turns, WorkState(run.transcript.to_json(), executor.conversation.to_json(), run.began_green))

    def go_back(left: int, turn: int, was_left: bool, paths: tuple[str, ...]) -> tuple[str, ...] | None:
        return attempt_states.go_back(context, left, attempt_states.state_after(turn, left=was_left), paths)

    run = TeamRun(
        TeamParts(
            llm=llm,
            details=model_session.ready.details,
            workspace=context.workspace,
            editor=Editor(context.workspace, context.emit, before_write),
            executor=executor,
            check=wiring.build_check(context, check),
            emit=context.emit,
            max_turns=settings.max_turns,
            user_lines=user_lines,
            at_turn_start=model_session.at_turn_start,
            at_boundary=keep,
            model_sums_up=settings.compaction == "model",
            composition=composition(settings, model_session.ready.details),
            go_back=go_back,
            sampling=first_sampling(settings, context.session.session),
        )
    )
    if restored is not None:
        run.transcript = Transcript.from_json(restored.work.work)
        run.began_green, run.instruction = restored.work.began_green, restored.instruction
        if restored.note:
            run.transcript.append(Entry("user", restored.note))

    async def start() -> tuple[EndReason, str]:
        try:
            end = await run.run(task)
        finally:
            await llm.aclose()
        return end.reason, end.detail

    return Work(start, run.stop, lambda: run.turns)
