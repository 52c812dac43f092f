"""The same-instance guarantee: the model made ready once, watched in every run, and checked on demand.

Observing adds no load: native durations, `/api/ps` at turn boundaries, and token counts that the replies carry anyway.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Literal, Protocol

from super_agent.core.errors import InstanceChanged, ModelNotFound, RequestRejected, ServerError, ServerFailed
from super_agent.core.events import Emit, InstanceNoted, ModelReady, Notice, RequestFinished
from super_agent.core.gate import CountingGate, RequestFacts, Usage
from super_agent.core.ollama import LoadedModel, ModelDetails, Ollama, same_model
from super_agent.core.settings import Settings

LOAD_THRESHOLD_S = 0.2
"""Measured on Ollama 0.32.15: 1-30 ms when nothing was loaded, about 550 ms for the smallest model's reload."""
REAL_WORK_CONTEXT = 16384
"""Tokens. A 32B model lost 20 points of aider's edit benchmark when its context was cut; 16k is the least."""

Kind = Literal["load", "reload", "eviction", "keep_alive_reset", "truncation"]


class Endpoint(Protocol):
    """What a built client would really use; both clients satisfy it."""

    @property
    def base_url(self) -> str:
        """The server, as both halves must agree on it."""

    @property
    def model(self) -> str:
        """The model name it sends."""

    @property
    def endpoint(self) -> str:
        """The URL it posts to."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The model as it is loaded for a run."""

    details: ModelDetails
    loaded: LoadedModel
    load_s: float


def make_ready(server: Ollama, settings: Settings, emit: Emit) -> Ready:
    """Server, model, one load with the wanted keep_alive, and the context as loaded; raises `ServerError`."""
    server.version()
    details = server.show(settings.model)
    if "completion" not in details.capabilities:
        able = ", ".join(details.capabilities) or "nothing it names"
        raise RequestRejected(f"the model {settings.model} cannot chat; it can do: {able}", fix="Set DEFAULT_MODEL")
    load_s = server.load(settings.model, settings.keep_alive)
    loaded = find_loaded(server, settings.model)
    if loaded is None:
        raise ServerFailed(
            f"the server loaded {settings.model} and dropped it at once",
            fix="It may not fit in memory: see the server's log, or choose a smaller model or context",
        )
    emit(ModelReady(settings.model, loaded.context_length, load_s, loaded.size, loaded.size_vram))
    if loaded.context_length < REAL_WORK_CONTEXT:
        emit(
            Notice(
                "warning",
                f"{settings.model} has a context of {loaded.context_length}; real work needs {REAL_WORK_CONTEXT}",
                f"super-agent up --from {settings.model} --context {REAL_WORK_CONTEXT}",
            )
        )
    return Ready(details, loaded, load_s)


def find_loaded(server: Ollama, model: str) -> LoadedModel | None:
    """The model's row in `/api/ps`, compared by name the way Ollama does."""
    return next((row for row in server.loaded() if same_model(row.name, model)), None)


@dataclass(slots=True)
class InstanceWatch:
    """Counts what happens to the instance during a run; each unexpected thing is an event when it is noticed."""

    server: Ollama
    settings: Settings
    emit: Emit
    strict: bool = False
    counts: dict[Kind, int] = field(
        default_factory=lambda: {"load": 0, "reload": 0, "eviction": 0, "keep_alive_reset": 0, "truncation": 0}
    )
    _row: LoadedModel | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _reload_seen_natively: bool = False

    def begin(self, ready: Ready) -> None:
        """Remember the instance as it is; a load that made it is counted as expected."""
        self._row = ready.loaded
        if ready.load_s >= LOAD_THRESHOLD_S:
            self._note("load", f"loaded in {ready.load_s:.1f} s", expected=True)

    def look(self) -> None:
        """Compare `/api/ps` with the last look; raises `InstanceChanged` where the run is strict."""
        row = find_loaded(self.server, self.settings.model)
        before, self._row = self._row, row or self._row
        if before is None:
            return
        if row is None:
            self._explain_absence()
        elif (row.digest, row.size, row.context_length) != (before.digest, before.size, before.context_length):
            if not self._reload_seen_natively:
                self._note_reload(f"context {before.context_length} -> {row.context_length} tokens")
        elif row.expires_at and before.expires_at and row.expires_at < before.expires_at - 1:
            minutes = (row.expires_at - time.time()) / 60
            self._note(
                "keep_alive_reset",
                f"the model would now be unloaded in {minutes:.0f} min, earlier than before",
                cause="another client sent its own keep_alive",
                fix="Let the other client send none",
            )
        self._reload_seen_natively = False

    def usage(self, usage: Usage) -> None:
        """Take what a reply tells: a native load duration, or a prompt that came out shorter than what was sent."""
        if usage.load_s is not None and usage.load_s >= LOAD_THRESHOLD_S:
            self._reload_seen_natively = True
            self._note_reload(f"load_duration {usage.load_s:.2f} s in a {usage.client} reply")
        if usage.truncated:
            self._note(
                "truncation",
                f"the server evaluated {usage.prompt_tokens} prompt tokens, fewer than were sent",
                cause="the prompt did not fit the context, and the server dropped its oldest messages",
                fix="Use a model with a larger context: super-agent up --context N",
            )

    def _explain_absence(self) -> None:
        others = ", ".join(row.name for row in self.server.loaded())
        self._note(
            "eviction",
            f"{self.settings.model} is not loaded any more" + (f"; loaded now: {others}" if others else ""),
            cause="another model or alias took its place" if others else "it was unloaded, or its keep_alive ended",
            fix="Close the other client, or let it use the same model name" if others else "super-agent up",
        )

    def _note_reload(self, detail: str) -> None:
        self._note(
            "reload",
            detail,
            cause="another client asked for other runner options (num_ctx, num_gpu …), or for the base model",
            fix="Let every client use the same model name and send no runner options",
        )

    def _note(self, kind: Kind, detail: str, *, expected: bool = False, cause: str = "", fix: str = "") -> None:
        with self._lock:
            self.counts[kind] += 1
        self.emit(InstanceNoted(kind, expected, detail, cause, fix))
        if self.strict and not expected:
            raise InstanceChanged(f"the model instance changed ({kind}): {detail}", fix=fix)


@dataclass(slots=True)
class RunGate:
    """The gate of a run: the token limit before a call; counters, the watch and an event after it."""

    counting: CountingGate
    watch: InstanceWatch
    emit: Emit

    def before(self, request: RequestFacts) -> None:
        """Raises `LimitReached`."""
        self.counting.before(request)

    def after(self, usage: Usage) -> None:
        """Count, tell, and look for a reload or a truncation; raises `InstanceChanged` where the run is strict."""
        self.counting.after(usage)
        self.emit(
            RequestFinished(usage.client, usage.prompt_tokens, usage.completion_tokens, usage.wall_s, usage.load_s)
        )
        self.watch.usage(usage)


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check of `verify`: `detail` is what was seen, `fix` what to do when it did not hold."""

    name: str
    status: Literal["passed", "warning", "failed", "not_observable"]
    detail: str
    fix: str = ""


def five_checks(server: Ollama, autogen: Endpoint, executor: Endpoint) -> list[CheckLine]:
    """The five checks in their order; an unreachable server leaves the next two unasked but not the last two."""
    lines: list[CheckLine] = []
    try:
        lines.append(CheckLine("server", "passed", f"Ollama {server.version()} at {autogen.base_url}"))
        lines += [_model_exists(server, autogen.model), _model_loaded(server, autogen.model)]
    except ServerError as error:
        lines.append(CheckLine("server", "failed", error.what, error.fix))
        lines += [CheckLine(name, "not_observable", "no server to ask") for name in ("model", "loaded")]
    return [*lines, same_url(autogen, executor), same_name(autogen, executor)]


def _model_exists(server: Ollama, model: str) -> CheckLine:
    try:
        details = server.show(model)
    except ModelNotFound as error:
        return CheckLine("model", "failed", error.what, error.fix)
    context = f", context {details.num_ctx} baked in" if details.num_ctx else ", no context baked in"
    return CheckLine("model", "passed", f"{model} exists ({details.family}{context})")


def _model_loaded(server: Ollama, model: str) -> CheckLine:
    row = find_loaded(server, model)
    if row is None:
        others = ", ".join(r.name for r in server.loaded())
        seen = f"{model} is not loaded now" + (f"; loaded: {others}" if others else "; the server is idle")
        return CheckLine("loaded", "warning", seen, "super-agent up loads it once and keeps it")
    return CheckLine("loaded", "passed", f"{row.name} is loaded, context {row.context_length}, {row.size // 2**20} MiB")


def same_url(autogen: Endpoint, executor: Endpoint) -> CheckLine:
    """Whether both built clients would send to the same server."""
    if autogen.base_url == executor.base_url:
        return CheckLine("url", "passed", f"{autogen.endpoint} and {executor.endpoint}")
    seen = f"AutoGen sends to {autogen.endpoint}, the executor to {executor.endpoint}"
    return CheckLine("url", "failed", seen, "Set OLLAMA_BASE_URL once, for both")


def same_name(autogen: Endpoint, executor: Endpoint) -> CheckLine:
    """Whether both built clients would name the same model."""
    if same_model(autogen.model, executor.model):
        return CheckLine("name", "passed", f"both send {autogen.model}")
    seen = f"AutoGen sends {autogen.model}, the executor {executor.model}"
    return CheckLine("name", "failed", seen, "Set DEFAULT_MODEL once, for both")
