"""A run's state comes back from its JSON as it was, also what an earlier version kept."""

import json
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpreter.conversation import Conversation, Done
from interpreter.solo import SoloState
from super_agent.core.errors import UsageError
from super_agent.core.model.chat import Message
from super_agent.core.model.middleware import Totals
from super_agent.session.run_state import RunState, TeamState, WorkState
from super_agent.team.transcript import Author, Entry, Facts, Transcript

TEXT = st.text(st.characters(codec=None), max_size=20)  # half surrogate pairs too
st.register_type_strategy(str, TEXT)
FACTS = st.one_of([st.from_type(kind) for kind in typing.get_args(typing.get_args(Facts)[0])])
AUTHOR: typing.Any = Author
ENTRIES = st.builds(Entry, st.from_type(AUTHOR), TEXT, st.none() | FACTS, st.booleans(), st.booleans())
CONVERSATIONS = st.builds(
    Conversation,
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), TEXT), max_size=4),
    st.lists(st.builds(Done, TEXT, TEXT), max_size=2),
    TEXT,
)
WORK = st.builds(
    WorkState,
    CONVERSATIONS,
    st.none() | st.builds(TeamState, st.builds(Transcript, st.lists(ENTRIES, max_size=5)), st.booleans()),
    st.none() | st.from_type(SoloState),
)


def run_state(work: WorkState) -> RunState:
    limits: dict[str, int | float | None] = {"turns": 8, "seconds": 2.5, "tokens": None}
    totals = Totals(3, 300, 60, 120, 1.5, measured=False)
    return RunState("team", "do it", None, None, "m", "http://h", limits, work, 2, 12.5, {"autogen": totals})


@settings(deadline=None)
@given(WORK)
def test_a_state_comes_back_as_it_was(work: WorkState) -> None:
    text = run_state(work).to_json()
    read = RunState.from_json(text)
    assert read == run_state(work)
    assert read.to_json() == text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 1}', '{"version": 99}', '{"version": 2, "mode": "x"}', '{"version": 1, "work": 5}'],
)
def test_what_nobody_here_wrote_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="kept by another version"):
        RunState.from_json(text)


def test_a_fact_of_a_kind_that_is_unknown_is_not_guessed_at() -> None:
    state = json.loads(run_state(WorkState(team=TeamState(Transcript([Entry("task", "x")])))).to_json())
    state["work"]["team"]["transcript"]["entries"][0]["facts"] = {"kind": "LaterFacts", "task": "x"}
    with pytest.raises(UsageError, match="kept by another version"):
        RunState.from_json(json.dumps(state))
