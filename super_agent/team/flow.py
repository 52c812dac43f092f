"""Who is next: a pure function of the transcript, never a model call.

A turn is one coder reply and all that follows up to the next:
coder -> workspace -> interpreter (something to run, or no check) -> check -> reviewer (no check decides) -> coder.
Where that goes round in circles the files go back to their best state, and the coder is sampled anew from the prefix.
"""

from dataclasses import dataclass, replace
from typing import Literal

from super_agent.core.events import EndReason
from super_agent.core.model.sampling import PATIENCE
from super_agent.team import attempts
from super_agent.team.transcript import (
    CheckFacts,
    ContinuedFacts,
    Entry,
    ExecutionFacts,
    Facts,
    Member,
    ResampleFacts,
    TaskFacts,
    Transcript,
    VerdictFacts,
    WorkspaceFacts,
)

FROM_THE_BEST = 4
"""Attempts of a blind coder: the best state by the check may lead nowhere."""
SILENT = ("task", "user", "cue", "compaction")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the flow needs to know beside the transcript. `began_green`: the check passed before the first turn.

    `turns_before` were had before the user went on with a run that had ended; `max_turns` counts them too. The
    reviewer speaks "always", where no check can decide ("needed"), or never. `attempts` first replies are tried before
    the best of them is mended; `repairs` are the replies after the first one in an attempt (None: no bound). With
    `blind` a further attempt sees nothing of the others; after `FROM_THE_BEST` of them have begun with the best files
    in vain, the next ones begin with the first files.
    """

    has_check: bool
    began_green: bool
    max_turns: int
    turns_before: int = 0
    plans: bool = True
    reviews: Literal["always", "needed", "never"] = "needed"
    attempts: int = 1
    repairs: int | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Speak:
    """A member's turn to speak."""

    member: Member


@dataclass(frozen=True, slots=True)
class Resample:
    """The coder begins anew with the files as after turn `back_to` (None: as they are); `why` ends a sentence."""

    back_to: int | None
    why: str


@dataclass(frozen=True, slots=True)
class End:
    """The run is over; `detail` is one line for the user."""

    reason: EndReason
    detail: str


Step = Speak | Resample | End


def next_step(transcript: Transcript, rules: Rules) -> Step:
    """Decide by the newest entry of a member (cues, user lines and compactions decide nothing)."""
    transcript, rules = _since_continued(transcript, rules)
    newest = _newest(transcript)
    if newest is None:
        return _coder(transcript, rules) if rules.turns_before or not rules.plans else Speak("planner")
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


def _after_facts(facts: Facts, transcript: Transcript, rules: Rules) -> Step:
    match facts:
        case WorkspaceFacts():
            return _after_workspace(facts, transcript, rules)
        case ExecutionFacts():
            return Speak("check") if rules.has_check else _judged(transcript, rules)
        case CheckFacts():
            return _after_check(facts, transcript, rules)
        case VerdictFacts():
            return _after_verdict(facts, transcript, rules)
        case ResampleFacts():
            return _coder(transcript, rules)
        case TaskFacts() | ContinuedFacts():
            raise ValueError("a task is no member's contribution")


def _after_workspace(facts: WorkspaceFacts, transcript: Transcript, rules: Rules) -> Step:
    if facts.broken and not _was_broken(transcript):
        return _coder(transcript, rules)  # a syntax error is told at once and costs no check
    if _failed_before(facts, transcript, rules):
        return _stuck(transcript, rules, "the coder wrote what had failed before")
    if facts.changed or facts.instruction:
        return Speak("interpreter" if facts.instruction or not rules.has_check else "check")
    attempt = attempts.split(transcript)[-1]
    if rules.blind and rules.has_check and not facts.shown:
        return _stuck(transcript, rules, "the coder changed nothing")
    if not facts.shown and attempts.repeats(transcript.entries):
        return _stuck(transcript, rules, "the coder repeated itself")
    if not facts.shown and attempts.idle(attempt):
        return _stuck(transcript, rules, "the coder changed nothing twice in a row")
    return _coder(transcript, rules)


def _failed_before(facts: WorkspaceFacts, transcript: Transcript, rules: Rules) -> bool:
    """Whether the check need not run again; each of several first replies is checked, so that they can be compared."""
    tried = len(attempts.split(transcript)) > rules.attempts
    alone = bool(facts.changed) and not facts.instruction
    return rules.blind and tried and alone and attempts.failed_before(transcript, facts.digest)


def _after_check(facts: CheckFacts, transcript: Transcript, rules: Rules) -> Step:
    if facts.passed and not rules.began_green:
        return End("check_passed", "the check failed before the first turn and passes now")
    if facts.passed:
        # It was green before anything was done, so it proves nothing: the reviewer decides.
        return _judged(transcript, rules) if transcript.changed_paths() else _coder(transcript, rules)
    tried, newest = attempts.split(transcript), _turn(transcript, rules)
    if len(tried) < rules.attempts:
        return _again(transcript, rules, f"{rules.attempts} first replies are tried", rules.turns_before)
    if len(tried) == rules.attempts > 1 and attempts.best(transcript, rules.turns_before).turn != newest:
        return _again(transcript, rules, f"the best of {rules.attempts} goes on")
    if attempts.same_failure(transcript):
        return _stuck(transcript, rules, "the check failed in the same way again")
    if rules.repairs is not None and attempts.checks(tried[-1]) > rules.repairs:
        return _stuck(transcript, rules, "mending it did not help" if rules.repairs else "the check failed")
    return Speak("reviewer") if rules.reviews == "always" else _coder(transcript, rules)


def _judged(transcript: Transcript, rules: Rules) -> Step:
    """Where no check can decide: the reviewer does, if there is one."""
    if rules.reviews != "never":
        return Speak("reviewer")
    if not transcript.changed_paths():
        return _coder(transcript, rules)
    return End("finished", "the work was done and tried; there is no reviewer to judge it")


def _after_verdict(facts: VerdictFacts, transcript: Transcript, rules: Rules) -> Step:
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
    if not rules.has_check and _same_again(attempts.split(transcript)[-1]):
        return _stuck(transcript, rules, "the reviewer asked for the same twice, with the same files")
    return _coder(transcript, rules)


def _stuck(transcript: Transcript, rules: Rules, why: str) -> Step:
    """Other replies are tried until so many in a row brought nothing new."""
    if attempts.fruitless(transcript) >= PATIENCE:
        return End("no_progress", f"{why}, and so it was in {PATIENCE} further attempts drawn otherwise")
    return _again(transcript, rules, why, _files_for_blind(transcript, rules) if rules.blind else None)


def _files_for_blind(transcript: Transcript, rules: Rules) -> int | None:
    """The turn whose files an attempt begins with that sees nothing of the others."""
    if not rules.has_check:
        return None
    best = attempts.best(transcript, rules.turns_before).turn
    return best if attempts.begun_from(transcript, best) < FROM_THE_BEST else rules.turns_before


def _again(transcript: Transcript, rules: Rules, why: str, back_to: int | None = None) -> Step:
    if isinstance(end := _coder(transcript, rules), End):
        return end
    if back_to is None and rules.has_check:
        back_to = attempts.best(transcript, rules.turns_before).turn
    return Resample(back_to, why)


def _coder(transcript: Transcript, rules: Rules) -> Speak | End:
    if _turn(transcript, rules) >= rules.max_turns:
        return End("turn_limit", f"{rules.max_turns} turns were not enough; raise --max-turns to go on")
    return Speak("coder")


def _turn(transcript: Transcript, rules: Rules) -> int:
    """The number of the newest turn."""
    return rules.turns_before + turns(transcript)


def _was_broken(transcript: Transcript) -> bool:
    """Whether the turn before left a syntax error too: then the check has the word, whose Python may be a newer one."""
    before = [e.facts for e in transcript.by("workspace")[-2:-1]]
    return any(isinstance(f, WorkspaceFacts) and f.broken > 0 for f in before)


def _same_again(attempt: list[Entry]) -> bool:
    verdicts = [e.facts for e in attempt if isinstance(e.facts, VerdictFacts)]
    states = [e.facts.digest for e in attempt if isinstance(e.facts, WorkspaceFacts)]
    return len(verdicts) > 1 and len(states) > 1 and verdicts[-1] == verdicts[-2] and states[-1] == states[-2]
