"""The words of a run, for every view of it."""

from collections.abc import Iterator, Mapping

from super_agent.core.events import (
    ClientUsage,
    CodeDecided,
    CodeDecision,
    CodeFinished,
    EndReason,
    ModelReady,
    Queued,
    Retried,
    RunEnded,
    RunResumed,
    RunStarted,
    Waiting,
)
from super_agent.session.limits import MORE

END: Mapping[EndReason, str] = {
    "check_passed": "done: the check passes",
    "accepted": "done: the reviewer accepted",
    "finished": "done",
    "no_progress": "ended: no progress",
    "turn_limit": "ended: limit of turns",
    "time_limit": "ended: limit of time",
    "token_limit": "ended: limit of tokens",
    "interrupted": "interrupted",
    "error": "ended by an error",
}
WHY: Mapping[EndReason, str] = {
    "check_passed": "the check passes",
    "accepted": "the reviewer accepted the work",
    "finished": "the executor ended by itself",
    "no_progress": "nothing moved any more",
    "turn_limit": "the run had all its turns",
    "time_limit": "the time was over",
    "token_limit": "the run had used its tokens",
    "interrupted": "somebody ended it",
    "error": "something failed",
}
"""Said where a run gives no detail of its own."""
OUTCOMES = {
    "finished": "finished",
    "failed": "failed",
    "timed_out": "did not end in time",
    "died": "died",
    "interrupted": "was interrupted",
    "refused": "was refused",
}
DECISIONS: Mapping[CodeDecision, str] = {
    "run": "the code may run",
    "edited": "the changed code may run",
    "always": "this and all later code of this run may run",
    "skipped": "the code was skipped",
    "refused": "the code was refused",
    "stopped": "the code was not run and the run ends",
}
MAX_FILES = 12
LOADED_FROM_S = 0.2
"""A load shorter than this found the model loaded (measured in core/instance/watch.py)."""


def outcome(event: CodeFinished) -> str:
    """How code ended, in one line."""
    code = f" with exit code {event.exit_code}" if event.exit_code else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"{OUTCOMES[event.outcome]}{code} ({duration(event.duration_s)}){detail}"


def decided(event: CodeDecided) -> str:
    """What became of code that needed approval, in one line; why, where the decision does not say it."""
    why = f": {event.why}" if event.decision in ("skipped", "refused") or event.by == "earlier_answer" else ""
    return f"{DECISIONS[event.decision]}{why}"


def with_network(event: RunStarted | RunResumed) -> str:
    """Said of the sandbox, where it holds less than usual."""
    return " with the network" if event.network else ""


def model_ready(event: ModelReady) -> str:
    """How the model came to be loaded, its context and where its weights are."""
    how = f"loaded in {duration(event.load_s)}" if event.load_s >= LOADED_FROM_S else "already loaded"
    share = event.size_vram_bytes / event.size_bytes if event.size_bytes else 0.0
    where = "on the GPU" if share >= 0.995 else "on the CPU" if share < 0.005 else f"{share:.0%} on the GPU"
    return f"the model is ready: {how}, context {event.context_length:,} tokens, {where}"


def queued(event: Queued) -> str:
    """Whom a run waits for."""
    behind = ", ".join(event.waiting_for) or "another run"
    return f"waiting for the model: position {event.position} in the queue, {behind} has it"


def waiting(event: Waiting) -> str:
    """That a silent server is alive; what it does cannot be seen."""
    if event.waiting_for == "next_piece":
        return "the server is alive and has stopped in mid-reply"
    return "the server is alive and has not begun to reply (it loads, evaluates the prompt, or serves others)"


def retried(event: Retried) -> str:
    """Why a request is sent again, and when."""
    return f"{event.reason}; trying again in {duration(event.wait_s)} ({event.attempt} of {event.limit})"


def going_on(session: str, event: RunEnded) -> str:
    """The command that goes on with the run, or empty."""
    more = MORE.get(event.reason)
    return f"super-agent resume {session}{more}" if event.resumable and more is not None else ""


def risks(event: RunStarted | RunResumed) -> tuple[str, ...]:
    """What the run could reach beyond its sandbox, a line each: for the summary, too."""
    network = ("the code had the network (--network)",) if event.network else ()
    servers = (f"the sandbox did not hold these MCP servers: {', '.join(event.mcp)}",) if event.mcp else ()
    return network + servers


def summary(event: RunEnded) -> Iterator[tuple[str, str]]:
    """Why it ended, what it changed, what it cost: a label (empty: as above) and its text, a line each."""
    said = event.detail.strip()
    yield "why", said if said not in ("", "done") else WHY[event.reason]
    if event.reason == "error" and not event.turns and not event.usage and not event.files_changed:
        return  # nothing had begun
    yield "files", paths(event.files_changed) or "none changed"
    yield "turns", f"{event.turns} in {duration(event.duration_s)}"
    width = max((len(usage.client) for usage in event.usage), default=0)
    label = "tokens"
    for usage in event.usage:
        tokens = f"{usage.prompt_tokens:,} in{evaluated(usage)}, {usage.completion_tokens:,} out"
        yield label, f"{usage.client:<{width}}  {tokens}, {counted(usage.requests, 'call')}"
        label = ""
    if event.instance:
        yield "model", instance_counts(event.instance)


def evaluated(usage: ClientUsage) -> str:
    """How many of the prompt tokens the server evaluated, and which share it had in its cache."""
    if usage.evaluated_tokens is None or not usage.prompt_tokens:
        return ""
    reused = 1 - usage.evaluated_tokens / usage.prompt_tokens
    took = f" in {duration(usage.prompt_s)}" if usage.prompt_s is not None else ""
    computed = "" if usage.evaluated_measured else ", computed"
    return f" ({usage.evaluated_tokens:,} evaluated{took}, {max(0.0, reused):.0%} reused{computed})"


def instance_counts(counts: Mapping[str, int]) -> str:
    """What happened to the instance: loads, reloads and truncations always, the rest where it happened."""
    parts = [counted(counts.get(kind, 0), kind) for kind in ("load", "reload", "truncation")]
    for kind, name in (("eviction", "eviction"), ("keep_alive_reset", "keep-alive reset")):
        if counts.get(kind):
            parts.append(counted(counts[kind], name))
    if counts.get("queued"):
        parts.append(f"{counted(counts['queued'], 'request')} queued")
    return ", ".join(parts)


def paths(names: tuple[str, ...]) -> str:
    """Paths in one line, at most MAX_FILES of them."""
    more = len(names) - MAX_FILES
    return ", ".join(names[:MAX_FILES]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`4.2 s` or `3 min 05 s`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def whole_seconds(seconds: float) -> str:
    """`4 s` or `3 min 05 s`, for a clock that runs."""
    return f"{int(seconds)} s" if seconds < 100 else duration(seconds)
