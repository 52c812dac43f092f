"""The team's one transcript: append-only, shared by all members, and everything the flow decides by.

Each prompt is the previous prompt plus its reply plus what was appended, so a server with one slot evaluates every
token once. Nothing before the end ever changes; that is why cues stay in it for good.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from super_agent.core.edits.gaps import Gap
from super_agent.core.model.chat import Message
from super_agent.team.roles import CUES, Role, cue, head

Member = Literal["planner", "coder", "reviewer", "workspace", "interpreter", "check"]
Author = Literal["task", "user", "cue", "compaction", "resample"] | Member
GO_ON = "The reply was cut by the length limit. Coder, go on with what is missing; do not repeat what is complete:"


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """The user's task in their own words, which an opening message only holds among other things.

    `signature` and `score` are of the check as it ended before the first turn, as in `CheckFacts`. `project` is what
    the message says of the project beside its files, `check` what it says of the check, whose command and `output` are
    kept whole. `brief`: the prompt has no worked example, see `roles`. `gap` is the function whose body the coder's
    reply begins with, if any.
    """

    task: str
    signature: str = ""
    score: tuple[int, int] = (0, 0)
    project: str = ""
    brief: bool = False
    check: str = ""
    gap: Gap | None = None
    output: str = field(default="", repr=False)
    kind: Literal["TaskFacts"] = field(default="TaskFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """What came of a coder's reply; `digest` stands for the content of all files the run has touched.

    `broken` counts the written files that have a syntax error.
    """

    changed: tuple[str, ...]
    refused: int
    shown: int
    instruction: str
    digest: str
    broken: int = 0
    kind: Literal["WorkspaceFacts"] = field(default="WorkspaceFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """What came of an instruction to the executor."""

    changed: tuple[str, ...]
    ended: str
    kind: Literal["ExecutionFacts"] = field(default="ExecutionFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """A check's result; `signature` is equal for the same failure, whatever its times and addresses.

    `score` is the better the greater: tests that passed, and those that failed as a negative number. `output` is the
    command and what it wrote: what the team is told of it names fewer functions.
    """

    passed: bool
    signature: str
    digest: str
    score: tuple[int, int] = (0, 0)
    output: str = field(default="", repr=False)
    kind: Literal["CheckFacts"] = field(default="CheckFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """The reviewer's verdict; not `valid` when the reply was no JSON of the schema."""

    accepted: bool
    valid: bool
    reasons: str
    kind: Literal["VerdictFacts"] = field(default="VerdictFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class ContinuedFacts:
    """The user goes on with a run that had ended; `check_passed` is how the check ended just before."""

    check_passed: bool
    signature: str = ""
    score: tuple[int, int] = (0, 0)
    kind: Literal["ContinuedFacts"] = field(default="ContinuedFacts", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class ResampleFacts:
    """The coder begins anew from the shared prefix after turn `turn`, with the files as after turn `back_to`.

    Where `back_to` is None they stayed as they were. `anew`: the entry is an opening of its own for these files, and
    nothing but the user's words of what was said before is part of the prompt. `gap` is as in `TaskFacts`.
    """

    turn: int
    back_to: int | None
    why: str
    anew: bool = False
    gap: Gap | None = None
    kind: Literal["ResampleFacts"] = field(default="ResampleFacts", kw_only=True, repr=False)


Facts = Annotated[
    ResampleFacts | ContinuedFacts | TaskFacts | WorkspaceFacts | ExecutionFacts | CheckFacts | VerdictFacts,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution, verbatim; `cut` marks a reply that the length limit ended.

    `goes_on` marks one that was cut between its blocks: the same member says the rest in the next entry.
    """

    author: Author
    text: str
    facts: Facts | None = None
    cut: bool = False
    goes_on: bool = False

    @property
    def is_reply(self) -> bool:
        """Whether a model wrote it."""
        return self.author in CUES


@dataclass(slots=True)
class Transcript:
    """The record of one team's run, oldest first."""

    entries: list[Entry] = field(default_factory=list)

    def append(self, entry: Entry) -> None:
        """Add one entry at the end."""
        self.entries.append(entry)

    def ask(self, role: Role) -> None:
        """Append a role's cue, unless it already stands at the end (after a cancelled call)."""
        newest = next((e for e in reversed(self.entries) if e.author != "cue"), None)
        asked = Entry("cue", GO_ON) if newest is not None and newest.goes_on else self._cue(role)
        if not self.entries or self.entries[-1] != asked:
            self.append(asked)

    def _cue(self, role: Role) -> Entry:
        return Entry("cue", cue(role, self.task, brief=self.brief))

    def messages(self) -> list[Message]:
        """The prompt: the fixed head, then all entries with neighbouring user texts merged into one message.

        What stands before the newest compaction is left out: the compaction says what is to be known of it. So is what
        came of attempts that were given up, but for the user's words.
        """
        found = list(head(brief=self.brief))
        pending: list[str] = []
        for entry in self.in_prompt():
            if not entry.text and not entry.is_reply:
                continue
            if entry.is_reply:
                if pending:
                    found.append(Message("user", "\n\n".join(pending)))
                pending = []
                found.append(Message("assistant", entry.text))
            else:
                pending.append(entry.text)
        if pending:
            found.append(Message("user", "\n\n".join(pending)))
        return found

    def in_prompt(self) -> list[Entry]:
        """The entries that the next prompt is made of, oldest first."""
        entries = self.entries[self.compacted_up_to() :]
        newest = next((i for i in range(len(entries) - 1, -1, -1) if entries[i].author == "resample"), None)
        if newest is None:
            return entries
        if _is_anew(entries[newest]):
            said = [entry for entry in entries[:newest] if entry.author == "user"]
            return [entries[newest], *said, *entries[newest + 1 :]]
        begun = next((i for i in range(newest, -1, -1) if _is_continued(entries[i])), 0)
        asked = self._cue("coder")
        shared = next((i for i in range(begun, newest) if entries[i] == asked), newest)
        said = [entry for entry in entries[shared:newest] if entry.author == "user"]
        return [*entries[:shared], *said, *entries[newest:]]

    def compacted_up_to(self) -> int:
        """The place of the newest compaction, from which on entries are part of the prompt; 0 without one."""
        places = (i for i in range(len(self.entries) - 1, -1, -1) if self.entries[i].author == "compaction")
        return next(places, 0)

    def since_continued(self) -> "Transcript":
        """The part after the user last went on with it: what was judged before that is not judged again."""
        places = (i for i in range(len(self.entries) - 1, -1, -1) if _is_continued(self.entries[i]))
        return Transcript(self.entries[next(places, 0) :])

    @property
    def task(self) -> str:
        """The user's task in their own words."""
        return next((e.facts.task for e in self.entries if isinstance(e.facts, TaskFacts)), "")

    @property
    def project(self) -> str:
        """What the opening message says of the project beside its files."""
        return next((e.facts.project for e in self.entries if isinstance(e.facts, TaskFacts)), "")

    @property
    def brief(self) -> bool:
        """Whether the prompt has no worked example."""
        return any(entry.facts.brief for entry in self.entries if isinstance(entry.facts, TaskFacts))

    def reply(self) -> tuple[str, bool]:
        """The coder's newest reply, the parts of one that went on joined; and whether its end was cut."""
        parts: list[Entry] = []
        for entry in reversed(self.by("coder")):
            if parts and not entry.goes_on:
                break
            parts.insert(0, entry)
        return "\n".join(entry.text for entry in parts), bool(parts) and parts[-1].cut

    def last(self, author: Author) -> Entry | None:
        """The newest entry of an author."""
        return next((entry for entry in reversed(self.entries) if entry.author == author), None)

    def by(self, author: Author) -> list[Entry]:
        """All entries of an author, oldest first."""
        return [entry for entry in self.entries if entry.author == author]

    def check_of(self, turn: int) -> Entry | None:
        """The newest result of the check in a turn, which counts from 1."""
        found, number, goes_on = None, 0, False
        for entry in self.entries:
            if entry.author == "coder":
                number, goes_on = number + (not goes_on), entry.goes_on
            elif entry.author == "check" and number == turn:
                found = entry
        return found

    def changed_paths(self) -> tuple[str, ...]:
        """Every file that the run has changed so far, sorted."""
        return tuple(sorted(set(_changed(self.entries))))


def _is_continued(entry: Entry) -> bool:
    return isinstance(entry.facts, ContinuedFacts)


def _is_anew(entry: Entry) -> bool:
    return isinstance(entry.facts, ResampleFacts) and entry.facts.anew


def _changed(entries: Iterable[Entry]) -> Iterable[str]:
    for entry in entries:
        if isinstance(entry.facts, WorkspaceFacts | ExecutionFacts):
            yield from entry.facts.changed
