"""aider on the task's files, with its own loop of test and repair; whole files or diffs."""

from evaluation.contestants.arena import Arena, Contestant, Ending, in_sandbox
from evaluation.contestants.foreign import QUIET, python_of


def contestant(edit_format: str) -> Contestant:
    """`edit_format` is one of aider's: "whole" or "diff"."""

    def run(arena: Arena) -> Ending:
        python = python_of("aider")
        model = [
            "--model",
            f"openai/{arena.model}",
            "--edit-format",
            edit_format,
            "--openai-api-base",
            f"{arena.url}/v1",
        ]
        quiet = ["--no-git", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"]
        quiet += [
            "--no-stream",
            "--no-fancy-input",
            "--no-detect-urls",
            "--no-suggest-shell-commands",
            "--no-gitignore",
        ]
        work = ["--yes-always", "--auto-test", "--test-cmd", arena.task.check, "--message", arena.task.text]
        # The tests are there to be read, not to be changed; what is to be written may not exist yet.
        written = sorted({*arena.task.workspace, *arena.task.targets})
        files = [word for path in sorted(arena.task.tests) for word in ("--read", path)] + written
        return in_sandbox(arena, python, ["python", "-m", "aider", *model, *quiet, *work, *files], QUIET)

    return Contestant(f"aider, {edit_format}", run)
