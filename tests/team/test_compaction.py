"""What a compaction keeps, what it leaves out, and when there is one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.events import ContextCompacted, Event
from super_agent.core.files.workspace import Workspace
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.context_allocation import ContextAllocation
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.settings import load_settings
from super_agent.team.compaction import Compactor, compaction
from super_agent.team.flow import Rules, Speak, next_step, turns
from super_agent.team.roles import head, opening
from super_agent.team.transcript import (
    CheckFacts,
    Entry,
    ExecutionFacts,
    TaskFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

CONTEXT = 8192
TASK = "Write shop.py.\n\nIt must know prices, taxes and currencies."
RULES = Rules(has_check=True, began_green=False, max_turns=99)


def turn(number: int, size: int = 1) -> list[Entry]:
    """A red turn, its coder's reply of about `size` hundred tokens."""
    code = "\n".join(f"price_{number}_{line} = {line}" for line in range(size * 10))
    return [
        Entry("cue", "Coder, your files:"),
        Entry("coder", f"```python shop.py\n{code}\n```"),
        Entry("workspace", "Workspace: wrote shop.py.", WorkspaceFacts(("shop.py",), 0, 0, "", f"d{number}")),
        Entry("check", f"Check: `pytest` failed.\nKeyError: {number}", CheckFacts(False, f"s{number}", f"d{number}")),
        Entry("cue", "Reviewer, your verdict:"),
        Entry("reviewer", "{}", VerdictFacts(accepted=False, valid=True, reasons=f"price {number} is missing")),
    ]


def transcript(count: int, size: int = 1) -> Transcript:
    entries = [
        Entry("task", opening(TASK, "", ""), TaskFacts(TASK)),
        Entry("cue", "Planner, your plan:"),
        Entry("planner", "1. Write shop.py with all prices."),
        Entry("user", "The user says: use Decimal"),
    ]
    for number in range(1, count + 1):
        entries += turn(number, size)
    return Transcript(entries)


def read(path: str, limit: int) -> str:
    return f"{path} as it is now"[:limit]


@pytest.fixture
def compactor(tmp_path: Path) -> Iterator[tuple[Compactor, list[Event]]]:
    events: list[Event] = []
    (tmp_path / "shop.py").write_text("PRICES = {}\n")
    settings = load_settings({"state_dir": tmp_path / "state"}, environ={})
    with Workspace(tmp_path) as workspace:
        llm = LLMClient(settings, CountingMiddleware(), CONTEXT)
        yield Compactor(llm, transcript(4), workspace, events.append, ContextAllocation(CONTEXT)), events


def test_the_task_the_users_words_the_plan_the_files_and_the_last_failure_are_kept() -> None:
    entry, kept = compaction(transcript(3), ContextAllocation(CONTEXT).kept, read)
    for wanted in (
        f"Task: {TASK}",
        "The user says: use Decimal",
        "1. Write shop.py with all prices.",
        "shop.py as it is now",
        "KeyError: 3",
        "Turn 2: wrote shop.py; the check failed; Reviewer: revise, price 2 is missing.",
    ):
        assert wanted in entry.text
    assert "KeyError: 2" not in entry.text
    assert kept == (
        "the task, what the user said, the plan, a line for each turn, the last failure, "
        "1 of 1 changed files as they are now"
    )


def test_it_is_bounded_whatever_the_parts_are() -> None:
    record = transcript(200)
    record.entries[0] = Entry("task", "", TaskFacts("word " * 50_000))
    record.append(Entry("interpreter", "x", ExecutionFacts(tuple(f"f{n}.py" for n in range(500)), "finished")))
    room = ContextAllocation(CONTEXT).kept
    entry, _ = compaction(record, room, lambda path, limit: (path * 1000)[:limit])
    assert len(entry.text) < room + 2000  # titles and the words that say how much was cut


def test_the_prompt_begins_anew_after_it_and_the_flow_goes_on_as_before() -> None:
    record = transcript(3)
    before = next_step(record, RULES)
    entry, _ = compaction(record, ContextAllocation(CONTEXT).kept, read)
    record.append(entry)
    record.ask("coder")
    assert [m.role for m in record.messages()] == [*(m.role for m in head()), "user"]
    assert before == next_step(record, RULES) == Speak("coder")
    assert turns(record) == 3


def test_a_second_one_still_knows_what_was_before_the_first() -> None:
    record = transcript(3)
    record.append(compaction(record, ContextAllocation(CONTEXT).kept, read)[0])
    record.entries += turn(4)
    entry, _ = compaction(record, ContextAllocation(CONTEXT).kept, read)
    assert "Turn 1: wrote shop.py" in entry.text
    assert "Turn 4: wrote shop.py" in entry.text
    assert f"Task: {TASK}" in entry.text


def test_there_is_none_while_there_is_room(compactor: tuple[Compactor, list[Event]]) -> None:
    room, events = compactor
    before = list(room.transcript.entries)
    asyncio.run(room.make_room(2000))
    assert (room.transcript.entries, events) == (before, [])


def test_near_the_end_there_is_one_and_it_is_told(compactor: tuple[Compactor, list[Event]]) -> None:
    room, events = compactor
    for number in range(5, 12):
        room.transcript.entries += turn(number, size=12)
    asyncio.run(room.make_room(2000))
    (event,) = events
    assert isinstance(event, ContextCompacted)
    assert event.tokens_after < event.tokens_before / 2
    assert event.tokens_after + 2000 <= room.allocation.context_length
    assert "PRICES = {}" in room.transcript.messages()[-1].content
    asyncio.run(room.make_room(2000))
    assert len(events) == 1


def test_there_is_none_where_it_would_not_help(compactor: tuple[Compactor, list[Event]]) -> None:
    room, events = compactor
    del room.transcript.entries[10:]
    asyncio.run(room.make_room(CONTEXT))
    assert events == []
