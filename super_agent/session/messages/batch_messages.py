"""The words of a batch: how it stands, and what came of an attempt."""

from collections.abc import Mapping

from super_agent.core.batches.attempts import AttemptOutcome
from super_agent.core.batches.status_notes import BatchNote, BatchStatus, hours_text
from super_agent.session.messages.translation import Translator, english

STATES: Mapping[BatchStatus, str] = {"running": "running", "ended": "ended", "stopped": "stopped"}
OUTCOMES: Mapping[AttemptOutcome, str] = {
    "done": "done",
    "not done": "not done",
    "refused": "refused",
    "server": "the server failed",
    "executor": "the executor failed",
    "killed": "killed",
}


def counts(note: BatchNote, say: Translator = english) -> str:
    """Of all its tasks, those with a result from before included."""
    ready, done = note.kept + note.finals, note.kept_done + note.done
    told = "{ready:,} of {tasks:,} tasks: {done:,} done, {failed:,} not"
    return say.fill(told, ready=ready, tasks=note.tasks, done=done, failed=ready - done)


def under_way(note: BatchNote, now: float, say: Translator = english) -> str:
    """How many run at the moment, and how long the rest should take; `now` in seconds since the epoch."""
    told, left_s = say.fill("{number:,} running", number=len(note.running)), note.left_s(now)
    return told if left_s is None else f"{told}, {say.fill('about {time} left', time=hours_text(left_s))}"
