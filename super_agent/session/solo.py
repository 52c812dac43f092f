"""The executor alone as work for `run --solo` and `exec`; never imports AutoGen."""

from collections.abc import Callable, Sequence

from interpreter.solo import SoloRun, SoloState
from super_agent.core.events import EndReason
from super_agent.core.model.sampling import first_sampling
from super_agent.core.threads import in_thread
from super_agent.session import wiring
from super_agent.session.context import ModelSession, RunContext
from super_agent.session.run_state import Restored, WorkState
from super_agent.session.work import Boundary, Work


def solo_work(
    context: RunContext,
    model_session: ModelSession,
    check: str | None,
    task: str,
    user_lines: Callable[[], Sequence[str]],
    boundary: Boundary,
    restored: Restored | None,
    project: str,
) -> Work:
    """Build the executor's run, where it stood if `restored` is given; it works in a thread of its own."""
    executor = wiring.build_executor(context, model_session, restored.work if restored else None)

    def keep(turns: int) -> None:
        boundary(turns, WorkState(executor.conversation, solo=run.state))

    run = SoloRun(
        executor=executor,
        check=wiring.build_check(context, check),
        emit=context.emit,
        max_turns=context.settings.max_turns,
        user_lines=user_lines,
        at_turn_start=model_session.at_turn_start,
        at_boundary=keep,
        project=project,
        sampling=first_sampling(context.settings, context.session.session),
    )
    if restored is not None:
        run.state, run.instruction = restored.work.solo or SoloState(), restored.instruction
        if restored.note:
            run.state.instruction += f"\n\n{restored.note}"

    async def start() -> tuple[EndReason, str]:
        end = await in_thread(lambda: run.run(task), lambda: run.stop("interrupted", "cancelled"), "solo")
        return end.reason, end.detail

    return Work(start, run.stop, lambda: run.turns)
