"""The executor alone as work for `run --solo` and `exec`; never imports AutoGen."""

from collections.abc import Callable, Sequence

from interpreter.solo import SoloRun, SoloState
from super_agent.core.events import EndReason
from super_agent.core.threads import in_thread
from super_agent.session import wiring
from super_agent.session.run_state import Restored, WorkState
from super_agent.session.work import Boundary, Work


def solo_work(
    ground: wiring.Ground,
    halves: wiring.Halves,
    check: str | None,
    task: str,
    user_lines: Callable[[], Sequence[str]],
    boundary: Boundary,
    restored: Restored | None,
) -> Work:
    """Build the executor's run, where it stood if `restored` is given; it works in a thread of its own."""
    executor = wiring.build_executor(ground, halves, restored.work if restored else None)

    def keep(turns: int) -> None:
        boundary(turns, WorkState(run.state.to_json(), executor.conversation.to_json()))

    run = SoloRun(
        executor=executor,
        check=wiring.build_check(ground, check),
        emit=ground.emit,
        max_turns=ground.settings.max_turns,
        user_lines=user_lines,
        at_turn_start=halves.at_turn_start,
        at_boundary=keep,
    )
    if restored is not None:
        run.state, run.instruction = SoloState.from_json(restored.work.work), restored.instruction
        if restored.note:
            run.state.instruction += f"\n\n{restored.note}"

    async def start() -> tuple[EndReason, str]:
        end = await in_thread(lambda: run.run(task), lambda: run.stop("interrupted", "cancelled"), "solo")
        return end.reason, end.detail

    return Work(start, run.stop, lambda: run.turns)
