"""Stock Open Interpreter, unattended."""

from evaluation.contestants.arena import Arena, Contestant, Ending, in_sandbox
from evaluation.contestants.foreign import DRIVERS, QUIET, python_of


def contestant() -> Contestant:
    """With its own prompt, kernel and loop."""

    def run(arena: Arena) -> Ending:
        python = python_of("open_interpreter")
        task = f"{arena.task.text}\n\nThe files are in the current folder. The check is `{arena.task.check}`."
        words = ["python", "-I", str(DRIVERS / "open_interpreter.py"), arena.url, arena.model, task]
        return in_sandbox(arena, python, words, QUIET)

    return Contestant("Open Interpreter", run)
