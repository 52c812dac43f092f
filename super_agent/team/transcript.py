"""The team's one transcript: append-only, shared by all members, and everything the flow decides by.

Each prompt is the previous prompt plus its reply plus what was appended, so a server with one slot evaluates every
token once. Nothing before the end ever changes; that is why cues stay in it for good.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from super_agent.core.chat import Message
from super_agent.team.roles import CUES, Role, head

Member = Literal["planner", "coder", "reviewer", "workspace", "interpreter", "check"]
Author = Literal["task", "user", "cue"] | Member


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """What came of a coder's reply; `digest` stands for the content of all files the run has touched."""

    changed: tuple[str, ...]
    refused: int
    shown: int
    instruction: str
    digest: str


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """What came of an instruction to the executor."""

    changed: tuple[str, ...]
    ended: str


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """A check's result; `signature` is equal for the same failure, whatever its times and addresses."""

    passed: bool
    signature: str
    digest: str


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """The reviewer's verdict; not `valid` when the reply was no JSON of the schema."""

    accepted: bool
    valid: bool
    reasons: str


Facts = WorkspaceFacts | ExecutionFacts | CheckFacts | VerdictFacts
_FACTS: dict[str, Callable[..., Facts]] = {
    kind.__name__: kind for kind in (WorkspaceFacts, ExecutionFacts, CheckFacts, VerdictFacts)
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution, verbatim; `cut` marks a reply that the length limit ended."""

    author: Author
    text: str
    facts: Facts | None = None
    cut: bool = False

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
        cue = Entry("cue", CUES[role])
        if not self.entries or self.entries[-1] != cue:
            self.append(cue)

    def messages(self) -> list[Message]:
        """The prompt: the fixed head, then all entries with neighbouring user texts merged into one message."""
        found = list(head())
        pending: list[str] = []
        for entry in self.entries:
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

    def last(self, author: Author) -> Entry | None:
        """The newest entry of an author."""
        return next((entry for entry in reversed(self.entries) if entry.author == author), None)

    def by(self, author: Author) -> list[Entry]:
        """All entries of an author, oldest first."""
        return [entry for entry in self.entries if entry.author == author]

    def changed_paths(self) -> tuple[str, ...]:
        """Every file that the run has changed so far, sorted."""
        return tuple(sorted(set(_changed(self.entries))))

    def to_json(self) -> str:
        """The transcript as one line of JSON; `from_json` gives an equal one back."""
        return json.dumps([_entry_out(entry) for entry in self.entries], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Transcript":
        """Raises ValueError or KeyError for anything that `to_json` did not write."""
        return cls([_entry_in(data) for data in json.loads(text)])


def _changed(entries: Iterable[Entry]) -> Iterable[str]:
    for entry in entries:
        if isinstance(entry.facts, WorkspaceFacts | ExecutionFacts):
            yield from entry.facts.changed


def _entry_out(entry: Entry) -> dict[str, Any]:
    facts = None if entry.facts is None else {"kind": type(entry.facts).__name__, **asdict(entry.facts)}
    return {"author": entry.author, "text": entry.text, "cut": entry.cut, "facts": facts}


def _entry_in(data: dict[str, Any]) -> Entry:
    facts = None
    if data["facts"] is not None:
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data["facts"].items() if k != "kind"}
        facts = _FACTS[data["facts"]["kind"]](**fields)
    return Entry(data["author"], data["text"], facts, data["cut"])
