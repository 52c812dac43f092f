"""The executor alone as work for `run --solo` and `exec`; never imports AutoGen."""

from collections.abc import Callable, Sequence

from interpreter.solo import SoloRun
from super_agent.cli import assembly
from super_agent.cli.run import Work
from super_agent.core.events import EndReason
from super_agent.core.threads import in_thread


def solo_work(
    ground: assembly.Ground,
    halves: assembly.Halves,
    check: str | None,
    task: str,
    user_lines: Callable[[], Sequence[str]],
) -> Work:
    """Build the executor's run; it works in a thread of its own."""
    run = SoloRun(
        executor=assembly.build_executor(ground, halves),
        check=assembly.build_check(ground, check),
        emit=ground.emit,
        max_turns=ground.settings.max_turns,
        user_lines=user_lines,
        at_turn_start=halves.watch.look,
    )

    async def start() -> tuple[EndReason, str]:
        end = await in_thread(lambda: run.run(task), lambda: run.stop("interrupted", "cancelled"), "solo")
        return end.reason, end.detail

    return Work(start, run.stop, lambda: run.turns)
