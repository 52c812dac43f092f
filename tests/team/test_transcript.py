"""The shared transcript is append-only, so every prompt extends the one before it and its reply."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from super_agent.core.model.chat import Message
from super_agent.team.roles import BRIEF_CUE, CUES, REPEATED_TASK_CHARS, Role, head
from super_agent.team.transcript import (
    Entry,
    ResampleFacts,
    TaskFacts,
    Transcript,
)

KEPT = TypeAdapter(Transcript)
OUTSIDE = st.builds(Entry, st.sampled_from(["task", "user", "workspace", "interpreter", "check"]), st.text())
REPLY = st.builds(Entry, st.sampled_from(["planner", "coder", "reviewer"]), st.text())


def test_the_head_is_the_same_for_every_task() -> None:
    assert tuple(Transcript().messages()) == head()
    assert [m.role for m in head()][:3] == ["system", "user", "assistant"]


def test_neighbouring_user_texts_are_one_message() -> None:
    transcript = Transcript([Entry("task", "Task: x"), Entry("user", "The user says: y")])
    transcript.ask("coder")
    assert transcript.messages()[len(head()) :] == [Message("user", f"Task: x\n\nThe user says: y\n\n{CUES['coder']}")]


def test_a_brief_prompt_has_no_example_and_repeats_a_short_task_at_its_end() -> None:
    for task, again in (("Mend a.py.", "Mend a.py.\n\n"), ("x" * (REPEATED_TASK_CHARS + 1), "")):
        transcript = Transcript([Entry("task", f"Task: {task}", TaskFacts(task, brief=True))])
        transcript.ask("coder")
        first, last = transcript.messages()
        assert first == head(brief=True)[0]
        assert last.content == f"Task: {task}\n\n{again}{BRIEF_CUE}"
        assert KEPT.validate_json(KEPT.dump_json(transcript)).messages() == transcript.messages()


def test_a_brief_prompt_goes_back_to_its_own_cue() -> None:
    transcript = Transcript([Entry("task", "Task: x", TaskFacts("x", brief=True))])
    transcript.ask("coder")
    transcript.append(Entry("coder", "wrong"))
    transcript.append(Entry("resample", "", ResampleFacts(1, 0, "the check failed")))
    transcript.ask("coder")
    assert [m.content for m in transcript.messages()[1:]] == [f"Task: x\n\nx\n\n{BRIEF_CUE}"]


def test_an_attempt_with_an_opening_of_its_own_sees_nothing_that_was_said_before_but_by_the_user() -> None:
    transcript = Transcript([Entry("task", "Task: x. a.py is 1.", TaskFacts("x", brief=True))])
    transcript.ask("coder")
    transcript.append(Entry("coder", "half right"))
    transcript.append(Entry("user", "The user says: y"))
    transcript.append(Entry("resample", "Task: x. a.py is 2.", ResampleFacts(1, 1, "the check failed", anew=True)))
    transcript.ask("coder")
    last = f"Task: x. a.py is 2.\n\nThe user says: y\n\nx\n\n{BRIEF_CUE}"
    assert [m.content for m in transcript.messages()[1:]] == [last]
    assert KEPT.validate_json(KEPT.dump_json(transcript)).messages() == transcript.messages()
    transcript.append(Entry("coder", "wrong"))
    transcript.append(Entry("resample", "", ResampleFacts(2, 0, "the check failed")))
    transcript.ask("coder")
    assert [m.content for m in transcript.messages()[1:]] == [
        f"Task: x. a.py is 1.\n\nThe user says: y\n\nx\n\n{BRIEF_CUE}"
    ]


def test_a_cue_is_not_repeated_after_a_cancelled_call() -> None:
    transcript = Transcript([Entry("task", "x")])
    transcript.ask("planner")
    transcript.ask("planner")
    assert len(transcript.entries) == 2


@given(st.lists(st.tuples(st.lists(OUTSIDE, max_size=3), st.sampled_from(["planner", "coder", "reviewer"]), st.text())))
def test_each_prompt_extends_the_previous_prompt_and_its_reply(
    turns: list[tuple[list[Entry], Role, str]],
) -> None:
    transcript = Transcript()
    known: list[Message] = []
    for outside, role, reply in turns:
        for entry in outside:
            transcript.append(entry)
        transcript.ask(role)
        prompt = transcript.messages()
        assert prompt[: len(known)] == known
        transcript.append(Entry(role, reply))
        known = [*prompt, Message("assistant", reply)]


def test_an_attempt_is_sampled_from_the_prompt_that_the_first_one_had() -> None:
    transcript = Transcript([Entry("task", "Task: x")])
    transcript.ask("coder")
    first = transcript.messages()
    transcript.append(Entry("coder", "wrong"))
    transcript.append(Entry("check", "Check: failed."))
    transcript.ask("coder")
    transcript.append(Entry("coder", "wrong again"))
    transcript.append(Entry("resample", "", ResampleFacts(2, 0, "…")))
    transcript.ask("coder")
    assert transcript.messages() == first


def test_what_the_user_said_and_how_the_files_stand_is_told_to_a_new_attempt_and_begins_as_the_first_did() -> None:
    transcript = Transcript([Entry("task", "Task: x"), Entry("cue", CUES["planner"]), Entry("planner", "1. x")])
    transcript.ask("coder")
    first = transcript.messages()
    transcript.append(Entry("coder", "half right"))
    transcript.append(Entry("user", "The user says: y"))
    transcript.append(Entry("resample", "These files are now", ResampleFacts(1, 1, "…")))
    transcript.ask("coder")
    now = transcript.messages()
    assert now[:-1] == first[:-1]
    assert now[-1].content == f"The user says: y\n\nThese files are now\n\n{CUES['coder']}"


def test_the_worked_example_shows_whole_files_only() -> None:
    """A small coder copies what it is shown: a SEARCH part of the example would be its reply."""
    assert not [message for message in head()[1:] if "SEARCH" in message.content]
