"""Attempts of a small coder at one function: its file is begun for it, and it goes on with the function's body."""

from dataclasses import dataclass

from super_agent.core.edits.gaps import Gap, gaps, is_there, surround
from super_agent.core.edits.stubs import suspects
from super_agent.core.errors import PathRefused
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.prefill import NO_PREFILL, Prefill
from super_agent.team.listing import suspects_in
from super_agent.team.transcript import ResampleFacts, TaskFacts, Transcript


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt asks for: the function at that place of the list, else the files, with so many stubs."""

    gap: int | None = None
    stubs: int = 0


ATTEMPTS = (
    Attempt(gap=0),
    Attempt(gap=0),
    Attempt(),
    Attempt(gap=1),
    Attempt(),
    Attempt(gap=0),
    Attempt(stubs=3),
    Attempt(),
)
"""Those that begin with the same files, in turn. The most likely function first, which costs a quarter of the tokens
(see `core/edits/gaps`), and whole files in between, as what is wrong may lie elsewhere."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one attempt is asked for: a function to write (None: files), and those that are shown without bodies."""

    gap: Gap | None = None
    stubs: tuple[str, ...] = ()


def asked(workspace: Workspace, task: str, failure: str, count: int) -> Asked:
    """What the attempt is asked for that `count` others with these files came before; `failure` is how they fail."""
    attempt, texts = ATTEMPTS[count % len(ATTEMPTS)], suspects_in(workspace, task, failure)
    found = gaps(texts, task, failure) if attempt.gap is not None else []
    if attempt.gap is None or not found:
        return Asked(None, tuple(suspects(texts.values(), failure)[: attempt.stubs]))
    gap = found[min(attempt.gap, len(found) - 1)]
    return Asked(gap, stubs_of(gap, texts.get(gap.path, "")))


def stubs_of(gap: Gap | None, text: str) -> tuple[str, ...]:
    """The function of the gap, where the file's text has it: its body is not shown."""
    return (gap.name.rpartition(".")[2],) if gap is not None and is_there(text, gap.name) else ()


def prefill(transcript: Transcript, workspace: Workspace) -> Prefill:
    """How the coder's next reply begins: with the file of a gap, where the attempt has only just begun."""
    newest = next((entry for entry in reversed(transcript.entries) if entry.author != "cue"), None)
    gap = newest.facts.gap if newest is not None and isinstance(newest.facts, TaskFacts | ResampleFacts) else None
    if gap is None:
        return NO_PREFILL
    try:
        around = surround(workspace.read_text(gap.path) or "", gap.name, transcript.task)
    except PathRefused:
        return NO_PREFILL
    if around is None:
        return NO_PREFILL
    behind = around.behind.rstrip("\n")
    return Prefill(f"```python {gap.path}\n{around.before}", around.stop, f"\n{behind}\n```" if behind else "\n```")
