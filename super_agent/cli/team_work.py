"""The team as work for `run`: the only command module that imports AutoGen."""

import logging
from collections.abc import Callable, Sequence

from super_agent.cli import assembly
from super_agent.cli.run import Work
from super_agent.core.events import EndReason
from super_agent.core.llm_client import LLMClient
from super_agent.team.edits import Editor
from super_agent.team.run import TeamParts, TeamRun


def team_work(
    ground: assembly.Ground,
    halves: assembly.Halves,
    check: str | None,
    task: str,
    user_lines: Callable[[], Sequence[str]],
) -> Work:
    """Build the team; its processes start when they are first needed."""
    settings = ground.settings
    # It would print a member's error with its traceback; the run carries the original and ends with it.
    logging.getLogger("autogen_core").setLevel(logging.CRITICAL + 1)
    assembly.register(ground, halves, "autogen")
    llm = LLMClient(settings, halves.gate, halves.ready.loaded.context_length)
    run = TeamRun(
        TeamParts(
            llm=llm,
            details=halves.ready.details,
            workspace=ground.workspace,
            editor=Editor(ground.workspace, ground.emit, ground.session.save_original),
            executor=assembly.build_executor(ground, halves),
            check=assembly.build_check(ground, check),
            emit=ground.emit,
            max_turns=settings.max_turns,
            user_lines=user_lines,
            at_turn_start=halves.watch.look,
        )
    )

    async def start() -> tuple[EndReason, str]:
        try:
            end = await run.run(task)
        finally:
            await llm.aclose()
        return end.reason, end.detail

    return Work(start, run.stop, lambda: run.turns)
