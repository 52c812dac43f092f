"""Who speaks next, and when the run is over."""

import pytest

from super_agent.team.context import read_verdict
from super_agent.team.flow import End, Rules, Speak, next_step
from super_agent.team.transcript import (
    CheckFacts,
    ContinuedFacts,
    Entry,
    ExecutionFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

RED = Rules(has_check=True, began_green=False, max_turns=8)
GREEN = Rules(has_check=True, began_green=True, max_turns=8)
UNCHECKED = Rules(has_check=False, began_green=False, max_turns=8)

TASK = Entry("task", "Task: x")
PLAN = Entry("planner", "1. x")
CODE = Entry("coder", "…")
REVISE = Entry("reviewer", "…", VerdictFacts(accepted=False, valid=True, reasons="more"))
ACCEPT = Entry("reviewer", "…", VerdictFacts(accepted=True, valid=True, reasons="good"))
INVALID = Entry("reviewer", "…", VerdictFacts(accepted=False, valid=False, reasons=""))
PASSED = Entry("check", "…", CheckFacts(True, "s", "d1"))
TRIED = Entry("interpreter", "…", ExecutionFacts((), "finished"))


def wrote(*paths: str, instruction: str = "", shown: int = 0, digest: str = "d1") -> Entry:
    return Entry("workspace", "…", WorkspaceFacts(paths, 0, shown, instruction, digest))


def failed(signature: str = "s", digest: str = "d1") -> Entry:
    return Entry("check", "…", CheckFacts(False, signature, digest))


def after(*entries: Entry, rules: Rules = RED) -> Speak | End:
    return next_step(Transcript([TASK, *entries]), rules)


@pytest.mark.parametrize(
    ("entries", "member"),
    [
        ((), "planner"),
        ((PLAN,), "coder"),
        ((PLAN, CODE), "workspace"),
        ((PLAN, CODE, wrote("a.py")), "check"),
        ((PLAN, CODE, wrote("a.py", instruction="try it")), "interpreter"),
        ((PLAN, CODE, wrote("a.py", instruction="try it"), TRIED), "check"),
        ((PLAN, CODE, wrote("a.py"), failed()), "reviewer"),
        ((PLAN, CODE, wrote("a.py"), failed(), REVISE), "coder"),
        ((PLAN, CODE, wrote("a.py"), failed(), ACCEPT), "coder"),
        ((PLAN, CODE, wrote(shown=1)), "coder"),
    ],
)
def test_with_a_check_that_began_red(entries: tuple[Entry, ...], member: str) -> None:
    assert after(*entries) == Speak(member)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "member"),
    [
        ((PLAN, CODE, wrote("a.py")), "interpreter"),
        ((PLAN, CODE, wrote("a.py"), TRIED), "reviewer"),
        ((PLAN, CODE, wrote("a.py"), TRIED, REVISE), "coder"),
        ((PLAN, CODE, wrote("a.py"), TRIED, INVALID), "reviewer"),
    ],
)
def test_without_a_check(entries: tuple[Entry, ...], member: str) -> None:
    assert after(*entries, rules=UNCHECKED) == Speak(member)  # type: ignore[arg-type]


def test_a_check_that_began_red_ends_the_run_when_it_passes() -> None:
    step = after(PLAN, CODE, wrote("a.py"), PASSED)
    assert isinstance(step, End)
    assert step.reason == "check_passed"


def test_a_check_that_was_green_before_proves_nothing_by_itself() -> None:
    assert after(PLAN, CODE, wrote("a.py"), PASSED, rules=GREEN) == Speak("reviewer")
    assert after(PLAN, CODE, wrote(instruction="x"), TRIED, PASSED, rules=GREEN) == Speak("coder")
    end = after(PLAN, CODE, wrote("a.py"), PASSED, ACCEPT, rules=GREEN)
    assert isinstance(end, End)
    assert end.reason == "accepted"


def test_acceptance_never_overrules_a_red_check() -> None:
    assert after(PLAN, CODE, wrote("a.py"), failed(), ACCEPT, rules=GREEN) == Speak("coder")


def test_without_a_check_the_reviewer_ends_it() -> None:
    end = after(PLAN, CODE, wrote("a.py"), TRIED, ACCEPT, rules=UNCHECKED)
    assert isinstance(end, End)
    assert end.reason == "accepted"


def test_the_same_failure_with_the_same_files_twice_is_no_progress() -> None:
    again = (CODE, wrote("a.py"), failed())
    end = after(PLAN, *again, REVISE, *again)
    assert isinstance(end, End)
    assert end.reason == "no_progress"
    assert after(PLAN, *again, REVISE, CODE, wrote("a.py", digest="d2"), failed(digest="d2")) == Speak("reviewer")
    assert after(PLAN, *again, REVISE, CODE, wrote("a.py"), failed("other")) == Speak("reviewer")


def test_a_coder_that_does_nothing_twice_makes_no_progress() -> None:
    assert after(PLAN, CODE, wrote()) == Speak("coder")
    end = after(PLAN, CODE, wrote(), CODE, wrote())
    assert isinstance(end, End)
    assert end.reason == "no_progress"
    assert after(PLAN, CODE, wrote(), CODE, wrote(shown=2)) == Speak("coder")


def test_the_limit_of_turns_counts_coder_replies() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=1)
    end = after(PLAN, CODE, wrote("a.py"), failed(), REVISE, rules=rules)
    assert isinstance(end, End)
    assert end.reason == "turn_limit"
    assert after(PLAN, CODE, wrote("a.py"), failed(), rules=rules) == Speak("reviewer")


def test_two_invalid_verdicts_in_a_row_end_the_run() -> None:
    end = after(PLAN, CODE, wrote("a.py"), TRIED, INVALID, INVALID, rules=UNCHECKED)
    assert isinstance(end, End)
    assert end.reason == "error"


def test_cues_and_user_lines_decide_nothing() -> None:
    assert after(PLAN, Entry("cue", "Coder:"), Entry("user", "The user says: hurry")) == Speak("coder")


def test_a_run_that_had_ended_goes_on_with_the_coder_when_the_user_says_so() -> None:
    done = (PLAN, CODE, wrote("a.py"), PASSED)
    assert isinstance(after(*done), End)
    assert after(*done, Entry("user", "also b.py", ContinuedFacts(check_passed=True))) == Speak("coder")


def test_a_check_that_is_green_when_the_user_goes_on_proves_nothing_for_what_comes() -> None:
    goes_on = (PLAN, CODE, wrote("a.py"), PASSED, Entry("user", "also b.py", ContinuedFacts(check_passed=True)))
    assert after(*goes_on, CODE, wrote("b.py"), PASSED) == Speak("reviewer")
    assert after(*goes_on, CODE, wrote("b.py"), PASSED, ACCEPT) == End("accepted", "the reviewer accepted the work")


def test_what_was_judged_before_the_user_went_on_is_not_judged_again() -> None:
    stuck = (PLAN, CODE, wrote("a.py"), failed(), REVISE, CODE, wrote("a.py"), failed())
    assert isinstance(after(*stuck), End)
    goes_on = (*stuck, Entry("user", "go on", ContinuedFacts(check_passed=False)))
    assert after(*goes_on, CODE, wrote("a.py"), failed()) == Speak("reviewer")


def test_all_turns_count_against_the_limit_also_after_the_user_went_on() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=2)
    goes_on = (PLAN, CODE, wrote("a.py"), PASSED, Entry("user", "more", ContinuedFacts(check_passed=True)))
    assert after(*goes_on, rules=rules) == Speak("coder")
    assert after(*goes_on, CODE, wrote(shown=1), rules=rules) == End(
        "turn_limit", "2 turns were not enough; raise --max-turns to go on"
    )


def test_a_reply_that_was_cut_between_its_blocks_is_said_to_its_end_first() -> None:
    part = Entry("coder", "…", cut=True, goes_on=True)
    assert after(PLAN, part) == Speak("coder")
    assert after(PLAN, part, CODE) == Speak("workspace")


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"verdict": "accept", "reasons": "it prints"}\n```',
        'It is complete.\n\n{"verdict": "accept", "reasons": "it prints"}',
        '{"verdict": "accept", "reasons": "it prints", "confidence": 0.9}',
        '<think>{"verdict": "revise", "reasons": "no"}</think>\n{"verdict": "accept", "reasons": "it prints"}',
    ],
)
def test_a_verdict_is_read_in_any_dress(text: str) -> None:
    assert read_verdict(text) == VerdictFacts(accepted=True, valid=True, reasons="it prints")


def test_two_verdicts_that_differ_are_none() -> None:
    text = '{"verdict": "accept", "reasons": "a"} or {"verdict": "revise", "reasons": "b"}'
    assert not read_verdict(text).valid
