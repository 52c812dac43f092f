"""The words of a run's end, for every view of it."""

from collections.abc import Iterator, Mapping

from super_agent.core.events import CodeFinished, EndReason, RunEnded

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
OUTCOMES = {
    "finished": "finished",
    "failed": "failed",
    "timed_out": "did not end in time",
    "died": "died",
    "interrupted": "was interrupted",
    "refused": "was refused",
}
MAX_FILES = 12


def outcome(event: CodeFinished) -> str:
    """How code ended, in one line."""
    code = f", exit code {event.exit_code}" if event.exit_code is not None else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"{OUTCOMES[event.outcome]}{code}, {event.duration_s:.1f} s{detail}"


def summary(event: RunEnded) -> Iterator[str]:
    """Why it ended, what it changed, what it cost."""
    yield f"why      {event.detail}"
    shown = ", ".join(event.files_changed[:MAX_FILES])
    more = f" and {len(event.files_changed) - MAX_FILES} more" if len(event.files_changed) > MAX_FILES else ""
    yield f"files    {shown + more if shown else 'none changed'}"
    yield f"turns    {event.turns}, {duration(event.duration_s)}"
    for usage in event.usage:
        yield (
            f"tokens   {usage.client}: {usage.prompt_tokens} in, {usage.completion_tokens} out, "
            f"{usage.requests} call{'s' if usage.requests != 1 else ''}"
        )
    if event.instance:
        counts = event.instance
        yield (
            f"model    {counts.get('load', 0)} load, {counts.get('reload', 0)} reloads, "
            f"{counts.get('eviction', 0)} evictions, {counts.get('truncation', 0)} truncations"
        )


def duration(seconds: float) -> str:
    """`4.2 s` or `3 min 05 s`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
