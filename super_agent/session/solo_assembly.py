"""The executor built to work alone, for `run --solo` and `exec`; never imports AutoGen."""

from interpreter.solo import SoloRun, SoloState
from super_agent.core.events import EndReason
from super_agent.core.model.sampling import first_sampling
from super_agent.core.threads import in_thread
from super_agent.session import run_assembly
from super_agent.session.run_assembly import Assignment, RunHandle
from super_agent.session.run_state import WorkState


def assemble_solo(given: Assignment) -> RunHandle:
    """Build the executor's run; it works in a thread of its own."""
    context, model_session, restored = given.context, given.model_session, given.restored
    executor = run_assembly.build_executor(context, model_session, restored.work if restored else None)

    def keep(turns: int) -> None:
        given.boundary(turns, WorkState(executor.conversation, solo=run.state))

    run = SoloRun(
        executor=executor,
        check=run_assembly.build_check(context, given.check),
        emit=context.emit,
        max_turns=context.settings.max_turns,
        user_lines=given.user_lines,
        at_turn_start=model_session.at_turn_start,
        at_boundary=keep,
        project=given.project,
        sampling=first_sampling(context.settings, context.session.session),
    )
    if restored is not None:
        run.state, run.instruction = restored.work.solo or SoloState(), restored.instruction
        if restored.note:
            run.state.instruction += f"\n\n{restored.note}"

    async def start() -> tuple[EndReason, str]:
        end = await in_thread(lambda: run.run(given.task), lambda: run.stop("interrupted", "cancelled"), "solo")
        return end.reason, end.detail

    return RunHandle(start, run.stop, lambda: run.turns)
