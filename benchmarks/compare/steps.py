"""Who calls the model in which order, and what it answers: one list of steps for each contestant."""

import json
from dataclasses import dataclass

from benchmarks.compare import story


@dataclass(frozen=True, slots=True)
class Step:
    """One model call: the request must hold `expects` in its first or last message, and is answered with `reply`."""

    expects: str
    reply: str


def team(turns: int, *, run: bool = False) -> list[Step]:
    """super-agent's team; with `run` the coder asks the interpreter to try every second module."""
    steps = [Step("Planner, your plan:", story.plan(turns))]
    for number in range(turns):
        tried = run and number % 2 == 0
        steps.append(Step("Coder, your files:", story.coder(number, tried)))
        if tried:
            steps += [Step("and tell the results", story.trial(number)), Step("Result of", story.trial_done(number))]
        if number + 1 < turns:
            steps.append(Step("Reviewer, your verdict:", story.reviewer(number)))
    return steps


def executor(turns: int) -> list[Step]:
    """An executor alone, super-agent's or stock Open Interpreter."""
    return [Step("", reply) for reply in story.session(turns)]


def round_robin(turns: int) -> list[Step]:
    """Planner, coder, workspace (no model) and reviewer, again and again."""
    steps = []
    for number in range(turns):
        steps += [_planner(turns, number), _coder(number)]
        if number + 1 < turns:
            steps.append(_reviewer(number))
    return steps


def graph_flow(turns: int) -> list[Step]:
    """The planner once, then coder, workspace (no model) and reviewer in a loop."""
    steps = [_planner(turns, 0)]
    for number in range(turns):
        steps.append(_coder(number))
        if number + 1 < turns:
            steps.append(_reviewer(number))
    return steps


def selector(turns: int) -> list[Step]:
    """The same, with the model asked before each speaker who it shall be."""

    def select(name: str) -> Step:
        return Step("select the next role", name)

    steps = [select("planner"), _planner(turns, 0)]
    for number in range(turns):
        steps += [select("coder"), _coder(number), select("workspace")]
        if number + 1 < turns:
            steps += [select("reviewer"), _reviewer(number)]
    return steps


def magentic(turns: int) -> list[Step]:
    """The orchestrator's facts, plan and ledgers, and between them the same members."""
    steps = [
        Step("pre-survey", FACTS.format(first=story.module_path(0))),
        Step("bullet-point plan", story.plan(turns)),
        _ledger("planner", "Plan the modules of the package."),
        _planner(turns, 0),
    ]
    for number in range(turns):
        path = story.module_path(number)
        steps += [_ledger("coder", f"Write {path}."), _coder(number)]
        steps.append(_ledger("workspace", f"Write {path} into the workspace and run the check."))
        if number + 1 < turns:
            steps += [_ledger("reviewer", f"Review {path}."), _reviewer(number)]
    steps.append(_ledger("coder", "Nothing is left.", satisfied=True))
    steps.append(Step("provide the final answer", "All modules are written, and the check passes."))
    return steps


FACTS = """\
1. GIVEN OR VERIFIED FACTS
- The package is named units; its first module is {first}.
- Functions are named after both units and refuse what is not finite.

2. FACTS TO LOOK UP
- None; the factors are well known.

3. FACTS TO DERIVE
- The factor of each prefix.

4. EDUCATED GUESSES
- The check imports each module and calls one function of it."""


def _planner(turns: int, number: int) -> Step:
    again = f"The plan stands. Next is {story.module_path(number)}."
    return Step("You are the planner", again if number else story.plan(turns))


def _coder(number: int) -> Step:
    return Step("You are the coder", story.coder(number))


def _reviewer(number: int) -> Step:
    return Step("You are the reviewer", story.reviewer(number))


def _ledger(speaker: str, instruction: str, *, satisfied: bool = False) -> Step:
    def answer(reason: str, value: bool | str) -> dict[str, bool | str]:
        return {"reason": reason, "answer": value}

    missing = "The check passes." if satisfied else "Modules are still missing."
    ledger = {
        "is_request_satisfied": answer(missing, satisfied),
        "is_in_loop": answer("Each step writes another module.", False),
        "is_progress_being_made": answer("One module more is right.", True),
        "next_speaker": answer(f"It is the {speaker}'s work.", speaker),
        "instruction_or_question": answer("It is the next step of the plan.", instruction),
    }
    return Step("Is the request fully satisfied?", json.dumps(ledger, indent=1))
