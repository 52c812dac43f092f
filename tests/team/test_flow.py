"""Who speaks next, and when the run is over."""

from dataclasses import replace

import pytest

from super_agent.core.edits.gaps import Gap
from super_agent.core.model.chat import Sampling
from super_agent.core.model.sampling import PATIENCE, drawn
from super_agent.team.attempts import best, left_at, repetitions
from super_agent.team.flow import End, Resample, Rules, Speak, next_step
from super_agent.team.transcript import (
    CheckFacts,
    ContinuedFacts,
    Entry,
    ExecutionFacts,
    ResampleFacts,
    TaskFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

RED = Rules(has_check=True, began_green=False, max_turns=8)
GREEN = Rules(has_check=True, began_green=True, max_turns=8)
UNCHECKED = Rules(has_check=False, began_green=False, max_turns=8)

SMALL = Rules(has_check=True, began_green=False, max_turns=99, plans=False)

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


def failed(signature: str = "s", digest: str = "d1", score: tuple[int, int] = (0, 0)) -> Entry:
    return Entry("check", "…", CheckFacts(False, signature, digest, score))


def said(text: str) -> Entry:
    return Entry("coder", text)


def again(turn: int, back_to: int | None = 0) -> Entry:
    return Entry("resample", "", ResampleFacts(turn, back_to, "…"))


def after(*entries: Entry, rules: Rules = RED) -> Speak | Resample | End:
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
        ((PLAN, CODE, wrote("a.py"), failed()), "coder"),
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


def test_the_same_failure_twice_is_sampled_anew_from_the_first_files() -> None:
    once = (CODE, wrote("a.py"), failed())
    assert after(PLAN, *once, *once) == Resample(0, "the check failed in the same way again")
    assert after(PLAN, *once, CODE, wrote("a.py"), failed("other")) == Speak("coder")
    assert after(PLAN, *once, CODE, wrote("b.py"), failed()) == Speak("coder")


def test_a_coder_that_repeats_itself_or_does_nothing_twice_is_sampled_anew() -> None:
    assert after(PLAN, said("a"), wrote()) == Speak("coder")
    assert after(PLAN, said("a"), wrote(), said("a"), wrote()) == Resample(0, "the coder repeated itself")
    assert after(PLAN, said("a"), wrote(), said("b"), wrote()) == Resample(
        0, "the coder changed nothing twice in a row"
    )
    assert after(PLAN, said("a"), wrote(), said("a"), wrote(shown=2)) == Speak("coder")
    assert after(PLAN, said("a"), wrote(), said("a"), wrote(), again(2)) == Speak("coder")
    assert after(PLAN, said("a"), wrote(), said("a"), wrote(), again(2), said("b"), wrote()) == Speak("coder")


def test_a_reply_of_an_earlier_attempt_that_changes_nothing_is_not_waited_for_again() -> None:
    begin = (said("a"), wrote("a.py"), failed(), said("a"), wrote(), again(2, 1))
    assert after(*begin, said("a"), wrote(), rules=SMALL) == Resample(0, "the coder repeated itself")
    assert after(*begin, said("b"), wrote(), rules=SMALL) == Speak("coder")


def test_a_small_model_mends_once_and_then_begins_from_the_best_files_and_after_four_more_from_the_first() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=99, plans=False, repairs=1, blind=True)
    begun = Entry("task", "x", TaskFacts("x", "first", (0, -4)))
    first = (begun, said("a"), wrote("a.py"), failed("1", score=(1, -3)))
    assert next_step(Transcript([*first]), rules) == Speak("coder")
    second = (*first, said("b"), wrote("a.py"), failed("2", score=(3, -1)))
    assert next_step(Transcript([*second]), rules) == Resample(2, "mending it did not help")
    for turn in range(3, 11, 2):
        attempt = (again(turn - 1, 2), *tried(turn), *tried(turn + 1))
        second = (*second, *attempt)
    assert next_step(Transcript([*second]), rules) == Resample(0, "mending it did not help")
    better = (again(10, 0), *tried(11), said("12"), wrote("a.py"), failed("12", score=(4, -1)))
    assert next_step(Transcript([*second, *better]), rules) == Resample(12, "mending it did not help")


def tried(turn: int) -> tuple[Entry, ...]:
    """A turn with a failure of its own that is worse than what was there."""
    return said(str(turn)), wrote("a.py"), failed(str(turn), score=(0, -1))


def test_where_an_attempt_ended_is_kept_under_a_name_only_if_other_files_were_gone_back_to() -> None:
    begin = (said("a"), wrote("a.py"), failed())
    assert left_at(Transcript([*begin, again(1, 0)]), 1)
    assert not left_at(Transcript([*begin, again(1, 1)]), 1)
    assert not left_at(Transcript([*begin, again(1, None)]), 1)
    assert not left_at(Transcript([*begin, again(1, 0)]), 2)


def test_the_best_state_by_the_check_is_gone_back_to() -> None:
    begun = Entry("task", "x", TaskFacts("x", "first", (1, -3)))
    three_turns = (
        *(said("a"), wrote("a.py"), failed("worse", score=(0, -1))),
        *(said("b"), wrote("a.py"), failed("better", score=(3, -1))),
        *(said("c"), wrote("a.py"), failed("worse", score=(0, -1))),
    )
    assert next_step(Transcript([begun, *three_turns]), SMALL) == Resample(2, "the check failed in the same way again")
    assert next_step(Transcript([begun, *three_turns[:3], *three_turns[6:]]), SMALL) == Resample(
        0, "the check failed in the same way again"
    )
    assert best(Transcript([begun, *three_turns]), 0).score == (3, -1)


def test_no_progress_is_said_only_after_so_many_attempts_that_brought_nothing_new() -> None:
    def tried(turn: int, signature: str) -> tuple[Entry, ...]:
        return again(turn), CODE, wrote("a.py"), failed(signature)

    begin = (CODE, wrote("a.py"), failed(), CODE, wrote("a.py"), failed())
    some = [entry for turn in range(1, PATIENCE) for entry in tried(turn + 1, "s")]
    assert isinstance(after(*begin, *some, rules=SMALL), Resample)
    end = after(*begin, *some, *tried(PATIENCE + 1, "s"), rules=SMALL)
    assert isinstance(end, End)
    assert end.reason == "no_progress"
    assert after(*begin, *some, *tried(PATIENCE + 1, "new"), rules=SMALL) == Speak("coder")


def test_each_attempt_is_drawn_with_another_seed_and_hotter_up_to_a_bound() -> None:
    found = [drawn(Sampling(0.0, 500), count) for count in range(4)]
    assert found == [None, Sampling(0.4, 501), Sampling(0.6, 502), Sampling(0.6, 503)]
    assert drawn(Sampling(1.3, 0), 1) == Sampling(1.3, 1)


def test_replies_that_came_again_make_the_next_one_hotter_up_to_another_bound() -> None:
    found = [drawn(Sampling(0.0, 500), 2, repeats) for repeats in range(4)]
    assert found == [Sampling(0.6, 502), Sampling(0.9, 502), Sampling(1.2, 502), Sampling(1.2, 502)]
    assert drawn(Sampling(1.5, 0), 1, 2) == Sampling(1.5, 1)


def test_only_replies_to_the_same_request_count_as_given_again() -> None:
    gap, other = Gap("a.py", "f"), Gap("a.py", "g")

    def attempt(text: str, gap: Gap) -> tuple[Entry, ...]:
        return Entry("resample", "", ResampleFacts(1, 0, "…", gap=gap)), said(text), wrote("a.py"), failed()

    begun = Entry("task", "x", TaskFacts("x", gap=gap))
    transcript = Transcript([begun, said("1"), wrote("a.py"), failed(), *attempt("1", gap), *attempt("1", other)])
    assert (repetitions(transcript, ("", gap)), repetitions(transcript, ("", other))) == (1, 0)
    assert repetitions(transcript, ("other files", gap)) == 0
    assert repetitions(Transcript([*transcript.entries, *attempt("2", gap), *attempt(" 1\n", gap)]), ("", gap)) == 2


def test_files_whose_check_failed_before_are_not_checked_again() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=99, plans=False, repairs=0, blind=True)
    begun = (CODE, wrote("a.py", digest="d1"), failed(digest="d1"), again(1))
    same = wrote("a.py", digest="d1")
    assert after(*begun, CODE, same, rules=rules) == Resample(0, "the coder wrote what had failed before")
    assert after(*begun, CODE, wrote("a.py", digest="d2"), rules=rules) == Speak("check")
    assert after(*begun, CODE, wrote("a.py", instruction="try it"), rules=rules) == Speak("interpreter")
    assert after(*begun, CODE, same, rules=replace(rules, attempts=2)) == Speak("check")
    assert after(*begun, CODE, same, rules=replace(rules, blind=False)) == Speak("check")


def test_so_many_first_replies_are_tried_before_the_best_of_them_goes_on() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=99, plans=False, attempts=3)
    first = (said("a"), wrote("a.py"), failed("1", score=(2, -1)))
    second = (again(1), said("b"), wrote("a.py"), failed("2", score=(0, -3)))
    third = (again(2), said("c"), wrote("a.py"), failed("3", score=(1, -2)))
    assert after(*first, rules=rules) == Resample(0, "3 first replies are tried")
    assert after(*first, *second, rules=rules) == Resample(0, "3 first replies are tried")
    assert after(*first, *second, *third, rules=rules) == Resample(1, "the best of 3 goes on")
    assert after(*first, *second, *third[:-1], failed("3", score=(2, 0)), rules=rules) == Speak("coder")
    assert isinstance(after(*first, *second[:-1], PASSED, rules=rules), End)


def test_a_reviewer_that_was_asked_for_speaks_after_a_red_check_too_and_one_left_out_never() -> None:
    always = Rules(has_check=True, began_green=False, max_turns=8, reviews="always")
    assert after(PLAN, CODE, wrote("a.py"), failed(), rules=always) == Speak("reviewer")
    never = Rules(has_check=False, began_green=False, max_turns=8, reviews="never")
    end = after(PLAN, CODE, wrote("a.py"), TRIED, rules=never)
    assert isinstance(end, End)
    assert end.reason == "finished"
    assert after(PLAN, CODE, wrote(instruction="x"), TRIED, rules=never) == Speak("coder")


def test_without_a_planner_the_coder_begins() -> None:
    assert after(rules=SMALL) == Speak("coder")


def test_the_reviewer_that_asks_for_the_same_twice_has_the_coder_sampled_anew_with_the_files_as_they_are() -> None:
    once = (CODE, wrote("a.py"), TRIED, REVISE)
    assert isinstance(step := after(PLAN, *once, *once, rules=UNCHECKED), Resample)
    assert step.back_to is None


def test_the_limit_of_turns_counts_coder_replies() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=1)
    end = after(PLAN, CODE, wrote("a.py"), failed(), REVISE, rules=rules)
    assert isinstance(end, End)
    assert end.reason == "turn_limit"
    always = Rules(has_check=True, began_green=False, max_turns=1, reviews="always")
    assert after(PLAN, CODE, wrote("a.py"), failed(), rules=always) == Speak("reviewer")


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
    assert isinstance(after(*stuck), Resample)
    goes_on = (*stuck, Entry("user", "go on", ContinuedFacts(check_passed=False)))
    assert after(*goes_on, CODE, wrote("a.py"), failed()) == Speak("coder")
    rest = (CODE, wrote("a.py"), failed(), CODE, wrote("a.py"), failed())
    assert after(*goes_on, *rest) == Resample(2, "the check failed in the same way again")


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


def test_without_repairs_each_red_check_begins_another_attempt() -> None:
    rules = Rules(has_check=True, began_green=False, max_turns=99, plans=False, repairs=0, blind=True)
    assert after(said("a"), wrote("a.py"), failed("1"), rules=rules) == Resample(0, "the check failed")
    assert after(said("a"), wrote(), rules=rules) == Resample(0, "the coder changed nothing")
    assert after(said("a"), wrote(shown=1), rules=rules) == Speak("coder")
