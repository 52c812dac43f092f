"""Who is next: a pure function of the transcript, never a model call.

A turn is one coder reply and all that follows up to the next:
coder -> workspace -> interpreter (something to run, or no check) -> check -> reviewer (red, or no check) -> coder.
"""

from dataclasses import dataclass, replace

from super_agent.core.events import EndReason
from super_agent.team.transcript import (
    CheckFacts,
    ContinuedFacts,
    Entry,
    ExecutionFacts,
    Facts,
    Member,
    TaskFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

SILENT = ("task", "user", "cue", "compaction")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the flow needs to know beside the transcript. `began_green`: the check passed before the first turn.

    `turns_before` were had before the user went on with a run that had ended; `max_turns` counts them too.
    """

    has_check: bool
    began_green: bool
    max_turns: int
    turns_before: int = 0


@dataclass(frozen=True, slots=True)
class Speak:
    """A member's turn to speak."""

    member: Member


@dataclass(frozen=True, slots=True)
class End:
    """The run is over; `detail` is one line for the user."""

    reason: EndReason
    detail: str


def next_step(transcript: Transcript, rules: Rules) -> Speak | End:
    """Decide by the newest entry of a member (cues, user lines and compactions decide nothing)."""
    transcript, rules = _since_continued(transcript, rules)
    newest = _newest(transcript)
    if newest is None:
        return _coder(transcript, rules) if rules.turns_before else Speak("planner")
    if newest.author == "coder":
        return Speak("coder" if newest.goes_on else "workspace")
    if newest.author == "planner" or newest.facts is None:
        return _coder(transcript, rules)
    return _after_facts(newest.facts, transcript, rules)


def turns(transcript: Transcript) -> int:
    """How many turns have begun; a reply that went on after a cut is one."""
    replies = transcript.by("coder")
    return len(replies) - sum(reply.goes_on for reply in replies[:-1])


def goes_on(transcript: Transcript) -> bool:
    """Whether the coder has only said a part of its reply."""
    newest = _newest(transcript)
    return newest is not None and newest.goes_on


def _newest(transcript: Transcript) -> Entry | None:
    return next((e for e in reversed(transcript.entries) if e.author not in SILENT), None)


def _since_continued(transcript: Transcript, rules: Rules) -> tuple[Transcript, Rules]:
    """What is judged after the user went on: only what came since, from how the check stood then."""
    rest = transcript.since_continued()
    facts = rest.entries[0].facts if rest.entries else None
    if not isinstance(facts, ContinuedFacts):
        return transcript, rules
    before = turns(transcript) - turns(rest)
    return rest, replace(rules, began_green=facts.check_passed, turns_before=before)


def _after_facts(facts: Facts, transcript: Transcript, rules: Rules) -> Speak | End:
    match facts:
        case WorkspaceFacts():
            return _after_workspace(facts, transcript, rules)
        case ExecutionFacts():
            return Speak("check" if rules.has_check else "reviewer")
        case CheckFacts():
            return _after_check(facts, transcript, rules)
        case VerdictFacts():
            return _after_verdict(facts, transcript, rules)
        case TaskFacts() | ContinuedFacts():
            raise ValueError("a task is no member's contribution")


def _after_workspace(facts: WorkspaceFacts, transcript: Transcript, rules: Rules) -> Speak | End:
    if facts.broken and not _was_broken(transcript):
        return _coder(transcript, rules)  # a syntax error is told at once and costs no check
    if facts.changed or facts.instruction:
        return Speak("interpreter" if facts.instruction or not rules.has_check else "check")
    if not facts.shown and _idle(transcript.by("workspace")[-2:]):
        return End("no_progress", "the coder changed nothing twice in a row")
    return _coder(transcript, rules)


def _after_check(facts: CheckFacts, transcript: Transcript, rules: Rules) -> Speak | End:
    if facts.passed and not rules.began_green:
        return End("check_passed", "the check failed before the first turn and passes now")
    if facts.passed:
        # It was green before anything was done, so it proves nothing: the reviewer decides.
        return Speak("reviewer") if transcript.changed_paths() else _coder(transcript, rules)
    earlier = [entry.facts for entry in transcript.by("check")[:-1]]
    if earlier and earlier[-1] == facts:
        return End("no_progress", "the check failed in the same way twice, with the same files")
    return Speak("reviewer")


def _after_verdict(facts: VerdictFacts, transcript: Transcript, rules: Rules) -> Speak | End:
    verdicts = [e.facts for e in transcript.by("reviewer") if isinstance(e.facts, VerdictFacts)]
    if not facts.valid:
        if len(verdicts) > 1 and not verdicts[-2].valid:
            return End("error", "the reviewer's verdict was no JSON of the schema twice in a row")
        return Speak("reviewer")
    check = transcript.last("check")
    green = check is not None and isinstance(check.facts, CheckFacts) and check.facts.passed
    if facts.accepted and (green or not rules.has_check):
        if rules.has_check and not transcript.changed_paths():
            return _coder(transcript, rules)
        return End("accepted", "the reviewer accepted the work")
    if not rules.has_check and _same_again(transcript, verdicts):
        return End("no_progress", "the reviewer asked for the same twice, with the same files")
    return _coder(transcript, rules)


def _coder(transcript: Transcript, rules: Rules) -> Speak | End:
    if rules.turns_before + turns(transcript) >= rules.max_turns:
        return End("turn_limit", f"{rules.max_turns} turns were not enough; raise --max-turns to go on")
    return Speak("coder")


def _idle(entries: list[Entry]) -> bool:
    """Whether two workspace entries in a row hold nothing done, shown or to be run."""
    facts = [e.facts for e in entries if isinstance(e.facts, WorkspaceFacts)]
    return len(facts) == 2 and not any(f.changed or f.shown or f.instruction for f in facts)


def _was_broken(transcript: Transcript) -> bool:
    """Whether the turn before left a syntax error too: then the check has the word, whose Python may be a newer one."""
    before = [e.facts for e in transcript.by("workspace")[-2:-1]]
    return any(isinstance(f, WorkspaceFacts) and f.broken > 0 for f in before)


def _same_again(transcript: Transcript, verdicts: list[VerdictFacts]) -> bool:
    states = [e.facts.digest for e in transcript.by("workspace") if isinstance(e.facts, WorkspaceFacts)]
    return len(verdicts) > 1 and len(states) > 1 and verdicts[-1] == verdicts[-2] and states[-1] == states[-2]
