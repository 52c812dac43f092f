"""Attempts: which state of the files was the best so far, when the coder goes round in circles, what came of it.

An attempt begins with the first turn or with an entry that says the coder begins anew from the shared prefix. All of
it is read off the transcript, so it is the same after a run was resumed.
"""

from dataclasses import dataclass

from super_agent.core.edits.gaps import Gap
from super_agent.team.transcript import (
    CheckFacts,
    ContinuedFacts,
    Entry,
    ExecutionFacts,
    ResampleFacts,
    TaskFacts,
    Transcript,
    WorkspaceFacts,
)

Request = tuple[str, Gap | None]
"""The opening of its own that an attempt begins with (empty: the run's), and the gap that it is to fill."""


@dataclass(frozen=True, slots=True)
class TurnState:
    """How the files stood after a turn; 0 is before the first one."""

    turn: int
    passed: bool
    score: tuple[int, int]


def split(transcript: Transcript) -> list[list[Entry]]:
    """The entries of each attempt, oldest first."""
    found: list[list[Entry]] = [[]]
    for entry in transcript.entries:
        if isinstance(entry.facts, ResampleFacts):
            found.append([])
        found[-1].append(entry)
    return found


def number(transcript: Transcript) -> int:
    """Which attempt is under way, from 1; those before the user went on do not count."""
    return len(split(transcript.since_continued()))


def best(transcript: Transcript, turns_before: int) -> TurnState:
    """The best state by the check, of equal ones the oldest; `turns_before` were had before the user went on."""
    begin = transcript.entries[0].facts if transcript.entries else None
    score = begin.score if isinstance(begin, TaskFacts | ContinuedFacts) else (0, 0)
    found, turn = TurnState(turns_before, False, score), turns_before
    for entry in _turned(transcript):
        if isinstance(entry, int):
            turn = turns_before + entry
        elif (entry.passed, entry.score) > (found.passed, found.score):
            found = TurnState(turn, entry.passed, entry.score)
    return found


def fruitless(transcript: Transcript) -> int:
    """How many of the newest attempts, the first one apart, ended in nothing but what was known before them."""
    begin = transcript.entries[0].facts if transcript.entries else None
    known = {begin.signature} if isinstance(begin, TaskFacts | ContinuedFacts) else set()
    count = 0
    for place, entries in enumerate(split(transcript)):
        seen = {e.facts.signature for e in entries if isinstance(e.facts, CheckFacts)}
        count = 0 if not place or seen - known else count + 1
        known |= seen
    return count


def repeats(entries: list[Entry]) -> bool:
    """Whether the newest reply was given before, word for word."""
    said = [entry.text.strip() for entry in entries if entry.author == "coder"]
    return said[-1:] != [] and said[-1] in said[:-1]


def request_of(entries: list[Entry]) -> Request | None:
    """What an attempt asks for; None where it began as the user went on."""
    begun = entries[0].facts if entries else None
    if isinstance(begun, ResampleFacts):
        return entries[0].text, begun.gap
    return ("", begun.gap) if isinstance(begun, TaskFacts) else None


def repetitions(transcript: Transcript, request: Request) -> int:
    """How many attempts that asked for that brought a reply that an earlier one had brought, but for its blanks."""
    said: list[str] = []
    for entries in split(transcript.since_continued()):
        if request_of(entries) == request:
            said += ["".join(entry.text.split()) for entry in entries if entry.author == "coder"][:1]
    return len(said) - len(set(said))


def failed_before(transcript: Transcript, digest: str) -> bool:
    """Whether the check failed before with these very files."""
    found = (entry.facts for entry in transcript.entries)
    return any(isinstance(facts, CheckFacts) and facts.digest == digest and not facts.passed for facts in found)


def same_failure(transcript: Transcript) -> bool:
    """Whether the newest failure stood after an earlier turn too, in any attempt, and no further file was touched."""
    seen: set[str] = set()
    touched: set[str] = set()
    further: set[str] = set()
    again = False
    for entry in transcript.entries:
        if isinstance(entry.facts, CheckFacts):
            again = entry.facts.signature in seen and not further
            seen.add(entry.facts.signature)
            touched |= further
            further = set()
        elif isinstance(entry.facts, WorkspaceFacts | ExecutionFacts):
            further |= set(entry.facts.changed) - touched
    return again


def checks(entries: list[Entry]) -> int:
    """How often the check ran in an attempt."""
    return sum(isinstance(entry.facts, CheckFacts) for entry in entries)


def idle(entries: list[Entry]) -> bool:
    """Whether two reports of the workspace in a row hold nothing done, shown or to be run."""
    facts = [e.facts for e in entries if isinstance(e.facts, WorkspaceFacts)][-2:]
    return len(facts) == 2 and not any(f.changed or f.shown or f.instruction for f in facts)


def left_at(transcript: Transcript, turn: int) -> bool:
    """Whether the run went back to other files after that turn: then what the turn left is kept under a name."""
    facts = [e.facts for e in transcript.entries if isinstance(e.facts, ResampleFacts)]
    return any(f.turn == turn and f.back_to not in (None, turn) for f in facts)


def begun_from(transcript: Transcript, turn: int) -> int:
    """How many attempts began with the files as that turn left them."""
    return sum(isinstance(e.facts, ResampleFacts) and e.facts.back_to == turn for e in transcript.entries)


def _turned(transcript: Transcript) -> list[int | CheckFacts]:
    """The numbers of turns as they begin, and the check's results between them."""
    found: list[int | CheckFacts] = []
    turn, goes_on = 0, False
    for entry in transcript.entries:
        if entry.author == "coder":
            turn += not goes_on
            goes_on = entry.goes_on
            found.append(turn)
        elif isinstance(entry.facts, CheckFacts):
            found.append(entry.facts)
    return found
