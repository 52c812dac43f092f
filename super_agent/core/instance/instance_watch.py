"""The same-instance guarantee in every run: the model made ready once, and watched from then on.

Observing adds no load: native durations, `/api/ps` and the runner's process at turn boundaries, and token counts that
the replies carry anyway.
"""

import threading
import time
from dataclasses import dataclass, field, replace

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import (
    InstanceChanged,
    ModelNotFound,
    OllamaUnreachable,
    RequestRejected,
    ServerError,
    ServerFailed,
)
from super_agent.core.events import (
    Emit,
    InstanceKind,
    InstanceNoted,
    ModelReady,
    Notice,
    PrefixBroken,
    RequestFinished,
)
from super_agent.core.instance.client_registry import ClientLock, live_clients
from super_agent.core.instance.diagnosis import Cause, ServerObservation, WantedModel, find_cause
from super_agent.core.instance.diagnosis_messages import cause_text, repair_text
from super_agent.core.instance.server_observation import observe, observe_rows, remember, with_evidence
from super_agent.core.instance.startup_notices import conflict_notices, context_notices
from super_agent.core.model.evaluation import Evaluated
from super_agent.core.model.middleware import CountingMiddleware, RequestFacts, Usage
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import LoadedModel, ModelDetails, Ollama, same_model
from super_agent.core.ollama.processes import RunnerProcess
from super_agent.core.ollama.server import up_command
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import Settings

LOAD_THRESHOLD_S = 0.2
"""Measured on Ollama 0.32.15: 1-30 ms when nothing was loaded, about 550 ms for the smallest model's reload."""
QUEUE_THRESHOLD_S = 1.0
"""Of a native reply's time that is neither load, prompt nor reply; an idle server leaves some 20 ms of it."""
BEFORE_CALL_TIMEOUT_S = 1.0
"""`/api/ps` takes a millisecond or two, whatever the runner does; a server that is stuck must not hold a run up."""

KINDS: tuple[InstanceKind, ...] = ("load", "reload", "eviction", "keep_alive_reset", "truncation", "queued")


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """The model as it is loaded for a run."""

    details: ModelDetails
    loaded: LoadedModel
    load_s: float


def make_ready(server: Ollama, settings: Settings, emit: Emit) -> ReadyModel:
    """Server, model, capability, conflicts, one load with the wanted keep_alive, and the context as loaded.

    What another client did to the model is undone by the load, and told. Raises `ServerError`.
    """
    try:
        server.version()
    except OllamaUnreachable as error:
        raise OllamaUnreachable(error.what, fix=f"Start it: {up_command(settings)}, or set OLLAMA_BASE_URL") from error
    details = server.show_local(settings.model)
    if "completion" not in details.capabilities:
        able = ", ".join(details.capabilities) or "nothing it names"
        raise RequestRejected(f"the model {settings.model} cannot chat; it can do: {able}", fix="Set DEFAULT_MODEL")
    wanted = WantedModel.of(details)
    found = with_evidence(observe_rows(server, settings.model, details.weights), settings)
    here = [c for c in live_clients(settings.state_dir) if processes.same_server(c.server, settings.base_url)]
    for notice in conflict_notices(wanted, found, tuple(here)):
        emit(notice)
    load_s = server.load(settings.model, settings.keep_alive)
    loaded = find_loaded(server, settings.model)
    if loaded is None:
        raise ServerFailed(
            f"the server loaded {settings.model} and dropped it at once",
            fix="It may not fit in memory: see the server's log, or choose a smaller model or context",
        )
    emit(ModelReady(settings.model, loaded.context_length, load_s, loaded.size, loaded.size_vram))
    for notice in context_notices(wanted, loaded, details.max_context):
        emit(notice)
    return ReadyModel(details, loaded, load_s)


def find_loaded(server: Ollama, model: str) -> LoadedModel | None:
    """The model's row in `/api/ps`: of its name, or of another alias of the same weights.

    An alias with the same runner parameters shares the runner, and the row keeps the name of whoever loaded it.
    """
    rows = server.loaded()
    named = next((row for row in rows if same_model(row.name, model)), None)
    if named is not None or not rows:
        return named
    try:
        weights = server.show(model).weights
        return next((row for row in rows if weights and server.show(row.name).weights == weights), None)
    except ModelNotFound:
        return None  # deleted meanwhile, which the next request will say


@dataclass(slots=True)
class InstanceWatch:
    """Counts what happens to the instance during a run; each unexpected thing is an event when it is noticed."""

    server: Ollama
    settings: Settings
    emit: Emit
    strict: bool = False
    counts: dict[InstanceKind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    _wanted: WantedModel = field(default_factory=lambda: WantedModel(""))
    _weights: str = ""
    _last: ServerObservation = field(default_factory=lambda: ServerObservation(0.0))
    _last_use: float = 0.0
    _runner: RunnerProcess | None = None
    _why_gone: Cause | None = None
    _counted: bool = False
    """A load that was already counted from a reply, so that the next observation does not count it again."""
    _loaded_anew: bool = False
    """Since the last observation; a request that loads the model brings the server's own keep_alive with it."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def begin(self, ready: ReadyModel) -> None:
        """Remember the instance as it is; a load that made it is counted as expected."""
        self._wanted, self._weights = WantedModel.of(ready.details), ready.details.weights
        self._last = with_evidence(observe(self.server, self.settings.model, self._weights), self.settings)
        self._runner = self._find_runner()
        remember(self.settings, self._last)
        if ready.load_s >= LOAD_THRESHOLD_S:
            self._note("load", f"loaded in {ready.load_s:.1f} s", expected=True)

    def observe(self) -> None:
        """Compare with the last observation; raises `InstanceChanged` where the run is strict.

        A server that is away just now is passed over: the next call waits for it.
        """
        with self._lock:
            try:
                now = observe(self.server, self.settings.model, self._weights, known=self._ending())
            except ServerError as error:
                if not error.transient:
                    raise
                self.emit(Notice("warning", f"{error.what}: the instance was not looked at"))
                return
            self._compare(now)
            if self._loaded_anew:
                self._keep()

    def observe_before_call(self) -> None:
        """Before a request, which undoes what is foreign and with it hides whose it was; raises as `observe`."""
        with self._lock:
            try:
                known, timeout_s = self._ending(), BEFORE_CALL_TIMEOUT_S
                now = observe(self.server, self.settings.model, self._weights, timeout_s=timeout_s, known=known)
            except ServerError:
                return  # the request itself finds out, and says or mends it
            self._compare(now)

    def _compare(self, now: ServerObservation) -> None:
        counted, self._counted = self._counted, False
        last = self._last
        # The process that listens is looked up where something happened only; it takes 20 ms.
        self._last = replace(now, server_pid=last.server_pid)
        before, row = last.row(self.settings.model), now.row(self.settings.model)
        runner_gone = self._runner is not None and not processes.is_alive(self._runner)
        if row is None:
            if before is not None and not counted:
                self._note_absence(last)
            return
        if row.name:
            remember(self.settings, self._last)
        if runner_gone or before is None:
            self._runner = self._find_runner()
        if counted:
            return
        if before is None:
            self._note_reload("it was gone and is loaded again", last)
        elif runner_gone or (row.size, row.context_length) != (before.size, before.context_length):
            self._note_reload(self._what_changed(before, row), last)
        elif row.expires_at and before.expires_at and now.at < row.expires_at < before.expires_at - 1:
            self._note_keep_alive(row.expires_at)

    def usage(self, usage: Usage) -> None:
        """Take what a reply tells: a load, a wait behind other requests, or a prompt that came out shorter."""
        with self._lock:
            if usage.load_s is not None and usage.load_s >= LOAD_THRESHOLD_S:
                self._counted = True
                self._note_reload(f"load_duration {usage.load_s:.2f} s in a {usage.client} reply", self._last)
            self._last_use = time.time()
            if usage.queued_s is not None and usage.queued_s >= QUEUE_THRESHOLD_S:
                self._note("queued", f"a request of {usage.client} waited {usage.queued_s:.1f} s", expected=True)
            if usage.truncated:
                detail = f"the server evaluated {usage.prompt_tokens} prompt tokens, fewer than were sent"
                self._note("truncation", detail, cause=Cause("prompt_cut", {"model": self.settings.model}))

    def _ending(self) -> RunnerProcess | None:
        """The runner that may be about to end; one that was seen to start is not."""
        row = self._last.row(self.settings.model)
        return self._runner if row is None or row.name else None

    def _keep(self) -> None:
        """Give the model our keep_alive again: a load of what is loaded as it should be does nothing else."""
        model = self.settings.model
        row = self._last.named(model)
        if row is None or row.context_length != (self._wanted.baked or row.context_length):
            return  # the next request loads it, and the observation after that one comes here again
        try:
            self.server.load(model, self.settings.keep_alive)
            self._last = replace(self._last, rows=observe_rows(self.server, model, self._weights).rows)
        except ServerError as error:
            self.emit(Notice("warning", f"{error.what}: the model keeps the server's own keep_alive"))
        self._loaded_anew = False

    def _find_runner(self) -> RunnerProcess | None:
        found = processes.runners(self.settings.base_url, self._weights)
        return found[0] if found else None

    def _what_changed(self, before: LoadedModel, now: LoadedModel) -> str:
        if now.context_length != before.context_length:
            return f"the context went from {before.context_length} to {now.context_length} tokens"
        return "its process is another one than before"

    def _cause(self, before: ServerObservation) -> Cause:
        """What the two last observations and this machine show; the evidence is kept for the next time."""
        self._last = with_evidence(self._last, self.settings)
        now = replace(self._last, at=time.time())
        return find_cause(self._wanted, [before, now], last_use=self._last_use)

    def _note_absence(self, before: ServerObservation) -> None:
        others = ", ".join(row.name for row in self._last.rows if row.name)
        self._why_gone = self._cause(before)
        if self._why_gone.kind == "server_restarted":
            return  # the load that follows is what counts
        loaded = f"; loaded now: {others}" if others else ""
        self._note("eviction", f"{self.settings.model} is not loaded any more{loaded}", cause=self._why_gone)

    def _note_reload(self, detail: str, before: ServerObservation) -> None:
        """A reload, or a load where the model was gone or the server began anew."""
        gone, cause = before.row(self.settings.model) is None, self._cause(before)
        if gone and self._why_gone is not None:
            cause, self._why_gone = self._why_gone, None
        kind: InstanceKind = "load" if gone or cause.kind == "server_restarted" else "reload"
        self._note(kind, detail, cause=cause)

    def _note_keep_alive(self, expires_at: float) -> None:
        minutes = (expires_at - time.time()) / 60
        self._note(
            "keep_alive_reset",
            f"the model would now be unloaded in {minutes:.0f} min, earlier than before",
            cause=Cause("foreign_keep_alive", {"model": self.settings.model}),
        )

    def _note(self, kind: InstanceKind, detail: str, *, expected: bool = False, cause: Cause | None = None) -> None:
        self.counts[kind] += 1
        self._loaded_anew = self._loaded_anew or (kind in ("load", "reload") and not expected)
        why, fix = (cause_text(cause), repair_text(cause)) if cause else ("", "")
        self.emit(InstanceNoted(kind, expected, detail, why, fix))
        if self.strict and not expected:
            raise InstanceChanged(f"the model instance changed ({kind.replace('_', ' ')}): {detail}; {why}", fix=fix)


@dataclass(slots=True)
class RunMiddleware:
    """The middleware of a run: the token limit before a call; counters, the watch and an event after it."""

    counting: CountingMiddleware
    watch: InstanceWatch
    emit: Emit
    registered: dict[ClientKind, ClientLock] = field(default_factory=dict)
    """Where each client tells other processes what it has cost so far."""
    queue: RunQueue | None = None

    def before(self, request: RequestFacts) -> None:
        """Waits for other runs, see `RunQueue.enter`; raises `LimitReached`, where it is strict `InstanceChanged`."""
        self.counting.before(request)
        if self.queue is not None:
            self.queue.enter(request)
        self.watch.observe_before_call()
        if (broken := request.prefix_break) is not None:
            self.emit(PrefixBroken(request.client, broken.message, broken.character, broken.reason))

    def ended(self, request: RequestFacts, cut: Usage | None = None) -> None:
        """Other runs may have the model when it is their turn."""
        try:
            if cut is not None:
                self._count(cut)
        finally:
            if self.queue is not None:
                self.queue.leave(request)

    def after(self, usage: Usage) -> None:
        """Count, tell, and look for a reload or a truncation; raises `InstanceChanged` where the run is strict."""
        self._count(usage)
        self.watch.usage(usage)

    def _count(self, usage: Usage) -> None:
        self.counting.after(usage)
        if lock := self.registered.get(usage.client):
            lock.note(usage)
        evaluated = usage.evaluated or Evaluated(usage.prompt_tokens, measured=False)
        self.emit(
            RequestFinished(
                usage.client,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.wall_s,
                usage.load_s,
                evaluated.tokens,
                evaluated.measured,
                usage.prompt_s,
            )
        )
