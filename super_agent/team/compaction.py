"""Compaction: near the end of the context, the transcript's middle gives way to a summary made by rules.

Rare and in one large step, because it costs the prefix cache. It keeps what the team cannot do without: the task, what
the user said, the plan, a line for each turn, the files as they are now and the last failure. Where the user wants it,
the model's own words stand for the lines.
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from super_agent.core.errors import SuperAgentError
from super_agent.core.events import ContextCompacted, Emit
from super_agent.core.files.workspace import Workspace
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Reply
from super_agent.core.model.context_allocation import WORTH_IT, ContextAllocation
from super_agent.core.text import clipped
from super_agent.team.listing import text_of
from super_agent.team.roles import opening
from super_agent.team.transcript import (
    CheckFacts,
    Entry,
    ExecutionFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

LEFT_OUT = (
    "The earlier messages of this conversation were left out to save room. This is what came of them; "
    "ask with a show block for anything else."
)
SUMMARY_CUE = (
    "The earlier messages are about to be left out to save room. Sum up in at most 120 words what was done, what was "
    "found out and what is still to be done. Name the files and functions; write no code:"
)
SUMMARY_TOKENS = 300
"""Twice what 120 words take in a small vocabulary; a summary that does not end within it is not used."""
LEAST_FILE_CHARS = 300
"""With less room than this a file is only named: a few lines of it would help nobody."""


@dataclass(slots=True)
class Summary:
    """The parts of a compaction, each bounded by what the ones before it left of `room` (characters)."""

    room: int
    parts: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def add(self, name: str, title: str, text: str, share: float) -> None:
        """Keep `text` under `title`, at most `share` of the room that is left; an empty one is not mentioned."""
        if text:
            part = f"{title}{clipped(text, int(self.room * share))}"
            self._take(name, part)

    def add_files(self, paths: tuple[str, ...], read: Callable[[str, int], str]) -> None:
        """The files as they are now, the first ones first, as long as there is room; the others by name."""
        named: list[str] = []
        whole = 0
        for path in paths:
            share = int(self.room * 0.6)
            if share < LEAST_FILE_CHARS:
                named.append(path)
                continue
            self._take("", read(path, share))
            whole += 1
        if whole:
            self.kept.append(f"{whole} of {len(paths)} changed files as they are now")
        if named:
            self._take("", "Changed too: " + clipped(", ".join(named), max(80, self.room)))

    def _take(self, name: str, part: str) -> None:
        self.parts.append(part)
        self.room = max(0, self.room - len(part))
        if name:
            self.kept.append(name)


@dataclass(frozen=True, slots=True)
class Compactor:
    """Keeps one run's transcript within the context."""

    llm: LLMClient
    transcript: Transcript
    workspace: Workspace
    emit: Emit
    allocation: ContextAllocation
    model_sums_up: bool = False
    """Whether the model is asked for a summary; rules make it where its reply is empty, cut or not to be had."""

    async def make_room(self, needed_tokens: int) -> None:
        """Compact where the prompt and what is needed after it would not fit, and where that helps."""
        before = self.llm.estimate_tokens(self.transcript.messages())
        if before + needed_tokens <= self.allocation.context_length or not self._has_middle():
            return
        entry, kept = self._compaction("")
        if self._tokens(entry) > before * WORTH_IT:
            return  # the client refuses what does not fit, in words that help
        if self.model_sums_up and (summary := await self._summary()):
            entry, kept = self._compaction(summary)
        after = self._tokens(entry)
        left_out = f"{len(self.transcript.entries) - self.transcript.compacted_up_to()} messages"
        self.transcript.append(entry)
        self.llm.begin_anew()
        self.emit(ContextCompacted("autogen", before, after, kept, left_out))

    def _compaction(self, summary: str) -> tuple[Entry, str]:
        return compaction(
            self.transcript, self.allocation.kept, lambda path, limit: text_of(self.workspace, path, limit), summary
        )

    def _tokens(self, entry: Entry) -> int:
        return self.llm.estimate_tokens(Transcript([entry]).messages())

    async def _summary(self) -> str:
        """What the model says of the conversation as it stands, which its prompt only adds to; empty without one."""
        asked = Transcript([*self.transcript.entries, Entry("cue", SUMMARY_CUE)]).messages()
        if self.llm.estimate_tokens(asked) + SUMMARY_TOKENS > self.allocation.context_length:
            return ""
        reply: Reply | None = None
        try:
            async with aclosing(self.llm.stream(asked, reply_limit_tokens=SUMMARY_TOKENS)) as items:
                async for item in items:
                    reply = item if isinstance(item, Reply) else reply
        except SuperAgentError:
            return ""  # rules can do without; what is wrong is said by the member's own call, which comes next
        return reply.text.strip() if reply is not None and reply.finish_reason == "stop" else ""

    def _has_middle(self) -> bool:
        entries = self.transcript.entries[self.transcript.compacted_up_to() :]
        return any(entry.author == "coder" for entry in entries)


def compaction(
    transcript: Transcript, room_chars: int, read: Callable[[str, int], str], told: str = ""
) -> tuple[Entry, str]:
    """The entry that stands for all entries before it, and in words what it keeps.

    `read(path, limit_chars)` gives a changed file as it is now. `room_chars` bounds the whole entry, roughly. `told` is
    a summary of the model's, which stands for the line for each turn.
    """
    summary = Summary(room_chars)
    summary.add("the task", "", transcript.task.strip(), 0.5)
    summary.add("what the project's people say", "", transcript.project, 0.2)
    users = [entry.text for entry in transcript.by("user")]
    summary.add("what the user said", "", "\n".join(users), 0.2)
    failure = _last_failure(transcript)
    plan = transcript.last("planner")
    summary.add("the plan", "Planner's plan:\n", plan.text.strip() if plan else "", 0.15)
    name, text = ("the model's summary", told) if told else ("a line for each turn", "\n".join(_turn_lines(transcript)))
    summary.add(name, f"{LEFT_OUT}\n", text, 0.25)
    summary.add("the last failure", "", failure, 0.3)
    summary.add_files(_newest_first(transcript), read)
    task, rest = summary.parts[0], "\n\n".join(summary.parts[1:])
    return Entry("compaction", opening(task, rest, "", brief=transcript.brief)), ", ".join(summary.kept)


def _turn_lines(transcript: Transcript) -> list[str]:
    """What happened, a line for each turn, oldest first."""
    lines: list[list[str]] = []
    went_on = False
    for entry in transcript.entries:
        if entry.author == "coder":
            if not went_on:
                lines.append([])
            went_on = entry.goes_on
        elif lines and (said := _said(entry)):
            lines[-1].append(said)
    return [f"Turn {number}: {'; '.join(parts) or 'nothing came of it'}." for number, parts in enumerate(lines, 1)]


def _said(entry: Entry) -> str:
    match entry.facts:
        case WorkspaceFacts(changed, refused, shown, instruction):
            parts = [f"wrote {', '.join(changed)}"] if changed else []
            parts += [f"{refused} blocks did not apply"] if refused else []
            parts += ["files were shown"] if shown else []
            parts += [f"asked to run: {clipped(instruction, 100)}"] if instruction else []
            return ", ".join(parts) or "nothing was written"
        case ExecutionFacts(changed, ended):
            return f"the interpreter ended ({ended.replace('_', ' ')})" + (
                f", changed {', '.join(changed)}" if changed else ""
            )
        case CheckFacts(passed):
            return f"the check {'passed' if passed else 'failed'}"
        case VerdictFacts(accepted, valid, reasons) if valid:
            return f"Reviewer: {'accept' if accepted else 'revise'}, {clipped(reasons.strip(), 160)}"
        case _:
            return ""


def _last_failure(transcript: Transcript) -> str:
    """The newest check where it failed, the newest report of the interpreter, and the newest verdict's reasons."""
    check, report, verdict = (transcript.last(author) for author in ("check", "interpreter", "reviewer"))
    parts = []
    if check is not None and isinstance(check.facts, CheckFacts) and not check.facts.passed:
        parts.append(check.text)
    elif report is not None:
        parts.append(report.text)
    if verdict is not None and isinstance(verdict.facts, VerdictFacts) and not verdict.facts.accepted:
        parts.append(f"Reviewer: {verdict.facts.reasons.strip()}")
    return "\n".join(parts)


def _newest_first(transcript: Transcript) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for entry in reversed(transcript.entries):
        if isinstance(entry.facts, WorkspaceFacts | ExecutionFacts):
            found.update(dict.fromkeys(entry.facts.changed))
    return tuple(found)
