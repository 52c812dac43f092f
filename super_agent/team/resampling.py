"""A new attempt: the files go back to the best state so far, and the coder is asked again from the shared prefix."""

from collections.abc import Callable
from dataclasses import dataclass

from super_agent.core.edits.gaps import Gap
from super_agent.core.events import Emit, Notice, Resampled
from super_agent.core.files.workspace import Workspace
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Sampling
from super_agent.core.model.context_allocation import ContextAllocation
from super_agent.core.model.prefill import NO_PREFILL
from super_agent.core.model.sampling import drawn
from super_agent.team import attempts
from super_agent.team.flow import Resample, turns
from super_agent.team.infilling import asked, attempt_begun, prefill_of, stubs_of
from super_agent.team.listing import describe, text_of
from super_agent.team.roles import opening
from super_agent.team.sampling_ahead import Upcoming
from super_agent.team.transcript import CheckFacts, Entry, ResampleFacts, TaskFacts, Transcript

GoBack = Callable[[int, int, bool, tuple[str, ...]], tuple[str, ...] | None]
"""Brings paths back, from how the turn left them, to how an earlier turn did (0: before the first); see `go_back` of
`session/attempt_states`. The flag says whether the run went back after that turn. Returns what changed, or None where
nothing can be brought back."""


@dataclass(frozen=True, slots=True)
class Resampler:
    """Of one run; `base` is what the first of the further attempts is drawn with, before it rises."""

    transcript: Transcript
    workspace: Workspace
    llm: LLMClient
    emit: Emit
    allocation: ContextAllocation
    go_back: GoBack
    base: Sampling

    def begin_anew(self, step: Resample) -> None:
        """Append what makes the coder's next reply a new attempt; raises `SnapshotFailed`."""
        files = self._go_back(step.back_to) if step.back_to is not None else None
        back_to = step.back_to if files is not None else None
        text, anew, gap = self._told(back_to, self._begun_before(back_to))
        facts = ResampleFacts(turns(self.transcript), back_to, step.why, anew, gap)
        self.transcript.append(Entry("resample", text, facts))
        self.llm.go_back()
        number, now = attempts.number(self.transcript), self.sampling() or self.base
        self.emit(Resampled(number, step.why, now.temperature, now.seed, back_to, files or ()))

    def leave_the_best(self) -> None:
        """A run that did not get there leaves the best state it had, where the check told one from another."""
        newest, since = turns(self.transcript), self.transcript.since_continued()
        before = newest - turns(since)
        found = attempts.best(since, before)
        if found.turn in (before, newest) or self._go_back(found.turn) is None:
            return
        text = f"The files are again as after turn {found.turn}, the best state by the check."
        self.transcript.append(Entry("user", text))
        self.emit(Notice("info", text))

    def sampling(self) -> Sampling | None:
        """How the coder's next reply is drawn; None is as the settings say."""
        newest = attempts.split(self.transcript)[-1]
        said = any(entry.author == "coder" for entry in newest)
        return self._drawn(0, attempts.request_of(newest) if not said else None)

    def upcoming(self, place: int) -> Upcoming | None:
        """The attempt so many after the one that is about to be sampled, if that changes no files for the better.

        None where its prompt would be another one.
        """
        begun = attempt_begun(self.transcript)
        if begun is None:
            return None
        turn = begun.back_to if isinstance(begun, ResampleFacts) else turns(self.transcript)
        told = self._told(turn, self._begun_before(turn) + place - 1)
        newest = self.transcript.last("resample") if isinstance(begun, ResampleFacts) else None
        if told[0] != ("" if newest is None else newest.text):
            return None
        sampling = self._drawn(place, (told[0], told[2]))
        brief, task = self.transcript.brief, self.transcript.task
        return Upcoming(sampling, prefill_of(told[2], task, self.workspace) if brief else NO_PREFILL)

    def _drawn(self, place: int, request: attempts.Request | None) -> Sampling | None:
        """So many attempts after the newest one; hotter where replies to that request came again word for word."""
        again = 0 if request is None or request[1] is None else attempts.repetitions(self.transcript, request)
        return drawn(self.base, attempts.number(self.transcript) - 1 + place, again)

    def _go_back(self, turn: int) -> tuple[str, ...] | None:
        """The files as that turn left them; None where they stay as they are."""
        newest = turns(self.transcript)
        if turn == newest:
            return ()
        left = attempts.left_at(self.transcript, turn)
        return self.go_back(newest, turn, left, self.transcript.changed_paths())

    def _told(self, turn: int | None, before: int) -> tuple[str, bool, Gap | None]:
        """What the coder is told of the files as that turn left them, whether that is an opening of its own, and the
        function that it is to write; so many attempts began with these files before."""
        moved = self._moved(turn)
        if not self.transcript.brief:
            return self._as_it_stands(turn, moved), False, None
        said, output = self._check_of(turn)
        now = asked(self.workspace, self.transcript.task, output, before)
        if moved or now.stubs != self._stubs_in_prefix():
            return self._opening(said, output, now.stubs), True, now.gap
        return "", False, now.gap

    def _begun_before(self, turn: int | None) -> int:
        """How many attempts began with these files; with those that the run found, the first one too."""
        if turn is None:
            return attempts.number(self.transcript)
        since = self.transcript.since_continued()
        return attempts.begun_from(self.transcript, turn) + (turn == turns(self.transcript) - turns(since))

    def _stubs_in_prefix(self) -> tuple[str, ...]:
        """What the shared prefix shows without bodies; the files are as they were then."""
        first = self.transcript.entries[0].facts
        gap = first.gap if isinstance(first, TaskFacts) else None
        return () if gap is None else stubs_of(gap, self.workspace.read_text(gap.path) or "")

    def _opening(self, said: str, output: str, stubs: tuple[str, ...]) -> str:
        """The task as if it began with these files: a small model that is told of others writes those."""
        task, room = self.transcript.task, self.allocation
        named, drawn = room.named_files, room.repository_map
        listing = describe(self.workspace, task, named, output, max_map_chars=drawn, stubs=stubs)
        return opening(task, listing, said, self.transcript.project, brief=True)

    def _check_of(self, turn: int | None) -> tuple[str, str]:
        """What the team was told of the check after that turn, or of the newest one, and all that the check wrote."""
        since = self.transcript.since_continued()
        before = turns(self.transcript) - turns(since)
        if turn == before and since.entries and isinstance(facts := since.entries[0].facts, TaskFacts):
            return facts.check, facts.output or facts.check
        found = since.check_of(turn - before) if turn is not None else since.last("check")
        if found is None or not isinstance(found.facts, CheckFacts):
            return "", ""
        return found.text, found.facts.output or found.text

    def _moved(self, turn: int | None) -> tuple[str, ...]:
        """The files that the run changed, where they are not as the shared prefix shows them."""
        since = self.transcript.since_continued()
        before = turns(self.transcript) - turns(since)
        return () if turn == before and self.transcript.compacted_up_to() == 0 else since.changed_paths()

    def _as_it_stands(self, turn: int | None, moved: tuple[str, ...]) -> str:
        """What the coder is told of these files; empty without any."""
        if not moved:
            return ""
        share = self.allocation.named_files // len(moved)
        parts = [text_of(self.workspace, path, share) for path in moved]
        parts += [said] if (said := self._check_of(turn)[0]) else []
        return "These files are now as follows:\n\n" + "\n\n".join(parts)
