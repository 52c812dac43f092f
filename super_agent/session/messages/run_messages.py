"""The words of a run, for every view of it; `say` gives them in the view's language."""

from collections.abc import Iterator, Mapping

from super_agent.core.events import (
    ClientUsage,
    CodeDecided,
    CodeDecision,
    CodeFinished,
    ContextCompacted,
    EndReason,
    ModelReady,
    PrefixBroken,
    Queued,
    ReplyDiscarded,
    Resampled,
    Retried,
    RunEnded,
    RunResumed,
    RunStarted,
    Waiting,
)
from super_agent.session.messages.translation import Translator, english, translate_sentence

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
MORE: Mapping[EndReason, str] = {
    "no_progress": ' "what to do instead"',
    "turn_limit": " --more-turns N",
    "time_limit": " --max-time SECONDS",
    "token_limit": " --max-tokens N",
    "interrupted": "",
    "error": "",
}
"""What a run that ended so needs to go on; one that was done is not in it."""
MAX_FILES = 12
LOADED_FROM_S = 0.2
"""A load shorter than this found the model loaded (measured in core/instance/instance_watch.py)."""


def outcome(event: CodeFinished, say: Translator = english) -> str:
    """How code ended, in one line."""
    code = f" {exit_code(event.exit_code, say)}" if event.exit_code else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"{say(OUTCOMES[event.outcome])}{code} ({duration(event.duration_s, say)}){detail}"


def exit_code(code: int, say: Translator = english) -> str:
    """Said behind what ended so."""
    return say.fill("with exit code {code}", code=code)


def decided(event: CodeDecided, say: Translator = english) -> str:
    """What became of code that needed approval, in one line; why, where the decision does not say it."""
    is_said = event.decision in ("skipped", "refused") or event.by == "earlier_answer"
    return say(DECISIONS[event.decision]) + (f": {translate_sentence(event.why, say)}" if is_said else "")


def with_network(event: RunStarted | RunResumed) -> str:
    """Said of the sandbox, where it holds less than usual."""
    return " with the network" if event.network else ""


def model_ready(event: ModelReady, say: Translator = english) -> str:
    """How the model came to be loaded, its context and where its weights are."""
    how = "loaded in {time}" if event.load_s >= LOADED_FROM_S else "already loaded"
    share = event.size_vram_bytes / event.size_bytes if event.size_bytes else 0.0
    where = "on the GPU" if share >= 0.995 else "on the CPU" if share < 0.005 else "{share:.0%} on the GPU"
    return say.fill(
        "the model is ready: {how}, context {context:,} tokens, {where}",
        how=say.fill(how, time=duration(event.load_s, say)),
        context=event.context_length,
        where=say.fill(where, share=share),
    )


def queued(event: Queued, say: Translator = english) -> str:
    """Whom a run waits for."""
    behind = ", ".join(event.waiting_for) or say("another run")
    told = "waiting for the model: position {position} in the queue, {behind} has it"
    return say.fill(told, position=event.position, behind=behind)


def waiting(event: Waiting, say: Translator = english) -> str:
    """That a silent server is alive; what it does cannot be seen."""
    if event.waiting_for == "next_piece":
        return say("the server is alive and has stopped in mid-reply")
    return say("the server is alive and has not begun to reply (it loads, evaluates the prompt, or serves others)")


def retried(event: Retried, say: Translator = english) -> str:
    """Why a request is sent again, and when."""
    told, time = "{reason}; trying again in {time} ({number} of {limit})", duration(event.wait_s, say)
    return say.fill(told, reason=event.reason, time=time, number=event.attempt, limit=event.limit)


def resampled(event: Resampled, say: Translator = english) -> str:
    """That the coder is asked anew, why, and from which files."""
    if event.back_to is None:
        files = "the files stay as they are"
    else:
        files = "the files are as after turn {turn}" if event.back_to else "the files are as at the start"
    told, files = "attempt {number}, as {why}; {files}", say.fill(files, turn=event.back_to)
    return say.fill(told, number=event.number, why=event.why, files=files)


def discarded(event: ReplyDiscarded, say: Translator = english) -> str:
    """That what streamed is no reply."""
    return say.fill("this reply broke off and counts for nothing: {reason}", reason=event.reason)


def compacted(event: ContextCompacted, say: Translator = english) -> tuple[str, str]:
    """By how much a context became smaller, and what is still there: a line each."""
    size = say.fill(
        "the context of {client} was compacted: about {before:,} tokens became {after:,}",
        client=event.client, before=event.tokens_before, after=event.tokens_after,
    )  # fmt: skip
    return size, say.fill("kept: {kept}; left out: {left_out}", kept=event.kept, left_out=event.left_out)


def prefix_broken(event: PrefixBroken, say: Translator = english) -> str:
    """Where a prompt first differs from the one before, counted from 1."""
    return say.fill(
        "a prompt of {client} does not extend the one before (message {message}, character {character}): {reason}",
        client=event.client, message=event.message + 1, character=event.character + 1, reason=event.reason,
    )  # fmt: skip


def going_on(session: str, event: RunEnded) -> str:
    """The command that goes on with the run, or empty."""
    more = MORE.get(event.reason)
    return f"super-agent resume {session}{more}" if event.resumable and more is not None else ""


def risks(event: RunStarted | RunResumed) -> tuple[str, ...]:
    """What the run could reach beyond its sandbox, a line each: for the summary, too."""
    network = ("the code had the network (--network)",) if event.network else ()
    servers = (f"the sandbox did not hold these MCP servers: {', '.join(event.mcp)}",) if event.mcp else ()
    return network + servers


def summary(event: RunEnded, say: Translator = english) -> Iterator[tuple[str, str]]:
    """Why it ended, what it changed, what it cost: a label (empty: as above) and its text, a line each."""
    said = event.detail.strip()
    yield say("why"), say(said if said not in ("", "done") else WHY[event.reason])
    if event.reason == "error" and not event.turns and not event.usage and not event.files_changed:
        return  # nothing had begun
    yield say("files"), paths(event.files_changed, say) or say("none changed")
    yield say("turns"), say.fill("{number} in {time}", number=event.turns, time=duration(event.duration_s, say))
    width = max((len(usage.client) for usage in event.usage), default=0)
    label = say("tokens")
    for usage in event.usage:
        tokens = exchanged(usage.prompt_tokens, usage.completion_tokens, usage.requests, say, evaluated(usage, say))
        yield label, f"{usage.client:<{width}}  {tokens}"
        label = ""
    if event.instance:
        yield say("model"), instance_counts(event.instance, say)


def exchanged(sent: int, replied: int, calls: int, say: Translator = english, evaluated: str = "") -> str:
    """Tokens in and out, and in how many calls; `evaluated` stands behind those that were sent."""
    told, times = "{sent:,} in{evaluated}, {replied:,} out, {calls}", counted(calls, "call", say)
    return say.fill(told, sent=sent, evaluated=evaluated, replied=replied, calls=times)


def evaluated(usage: ClientUsage, say: Translator = english) -> str:
    """How many of the prompt tokens the server evaluated, and which share it had in its cache."""
    if usage.evaluated_tokens is None or not usage.prompt_tokens:
        return ""
    reused = 1 - usage.evaluated_tokens / usage.prompt_tokens
    took = say.fill(" in {time}", time=duration(usage.prompt_s, say)) if usage.prompt_s is not None else ""
    computed = "" if usage.evaluated_measured else say(", computed")
    told = "{number:,} evaluated{took}, {reused:.0%} reused{computed}"
    told = say.fill(told, number=usage.evaluated_tokens, took=took, reused=max(0.0, reused), computed=computed)
    return f" ({told})"


def instance_counts(counts: Mapping[str, int], say: Translator = english) -> str:
    """What happened to the instance: loads, reloads and truncations always, the rest where it happened."""
    parts = [counted(counts.get(kind, 0), kind, say) for kind in ("load", "reload", "truncation")]
    for kind, name in (("eviction", "eviction"), ("keep_alive_reset", "keep-alive reset")):
        if counts.get(kind):
            parts.append(counted(counts[kind], name, say))
    if waited := counts.get("queued"):
        parts.append(f"{say.number(waited)} {say('request queued' if waited == 1 else 'requests queued')}")
    return ", ".join(parts)


def paths(names: tuple[str, ...], say: Translator = english) -> str:
    """Paths in one line, at most MAX_FILES of them."""
    more = len(names) - MAX_FILES
    return ", ".join(names[:MAX_FILES]) + (say.fill(" and {more} more", more=more) if more > 0 else "")


def counted(number: int, noun: str, say: Translator = english) -> str:
    """`1 call`, `2 calls`."""
    return f"{say.number(number)} {say(noun if number == 1 else f'{noun}s')}"


def duration(seconds: float, say: Translator = english) -> str:
    """`4.2 s` or `3 min 05 s`."""
    if seconds < 100:
        return f"{say.number(seconds, '.1f')} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def whole_seconds(seconds: float) -> str:
    """`4 s` or `3 min 05 s`, for a clock that runs."""
    return f"{int(seconds)} s" if seconds < 100 else duration(seconds)
