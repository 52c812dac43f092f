"""Stock AutoGen teams: a round robin of coder, code executor and critic, and Magentic-One."""

from evaluation.contestants.arena import Arena, Contestant, Ending, in_sandbox
from evaluation.contestants.foreign import DRIVERS, QUIET, python_of

NAMES = {"round_robin": "AutoGen, round robin", "magentic_one": "AutoGen, Magentic-One"}


def contestant(kind: str) -> Contestant:
    """`kind` is a key of `NAMES`."""

    def run(arena: Arena) -> Ending:
        python = python_of("autogen")
        files = ", ".join(sorted(arena.task.start))
        task = f"{arena.task.text}\n\nThe working folder holds {files}. The check is `{arena.task.check}`."
        words = ["python", "-I", str(DRIVERS / "autogen_team.py"), kind, arena.url, arena.model, task]
        return in_sandbox(arena, python, words, QUIET)

    return Contestant(NAMES[kind], run)
