"""The same-instance guarantee in every run: the model made ready once, and watched from then on.

Observing adds no load: native durations, `/api/ps` and the runner's process at turn boundaries, and token counts that
the replies carry anyway.
"""

import threading
import time
from dataclasses import dataclass, field

from super_agent.core import processes
from super_agent.core.clients import ClientLock
from super_agent.core.errors import InstanceChanged, ModelNotFound, RequestRejected, ServerError, ServerFailed
from super_agent.core.evaluation import Evaluated
from super_agent.core.events import (
    Emit,
    InstanceKind,
    InstanceNoted,
    ModelReady,
    Notice,
    PrefixBroken,
    RequestFinished,
)
from super_agent.core.gate import ClientKind, CountingGate, RequestFacts, Usage
from super_agent.core.ollama import LoadedModel, ModelDetails, Ollama, same_model
from super_agent.core.processes import Runner
from super_agent.core.queue import RunQueue
from super_agent.core.settings import Settings

LOAD_THRESHOLD_S = 0.2
"""Measured on Ollama 0.32.15: 1-30 ms when nothing was loaded, about 550 ms for the smallest model's reload."""
REAL_WORK_CONTEXT = 16384
"""Tokens. A 32B model lost 20 points of aider's edit benchmark when its context was cut; 16k is the least."""

QUEUE_THRESHOLD_S = 1.0
"""Of a native reply's time that is neither load, prompt nor reply; an idle server leaves some 20 ms of it."""
Kind = InstanceKind
KINDS: tuple[Kind, ...] = ("load", "reload", "eviction", "keep_alive_reset", "truncation", "queued")


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
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    _row: LoadedModel | None = None
    _runner: Runner | None = None
    _server_pid: int | None = None
    _weights: str = ""
    _counted: bool = False
    """A load that was already counted from a reply, so that the next look does not count it again."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def begin(self, ready: Ready) -> None:
        """Remember the instance as it is; a load that made it is counted as expected."""
        self._row, self._weights = ready.loaded, ready.details.weights
        self._server_pid = processes.server_pid(self.settings.base_url)
        self._runner = self._find_runner()
        if ready.load_s >= LOAD_THRESHOLD_S:
            self._note("load", f"loaded in {ready.load_s:.1f} s", expected=True)

    def look(self) -> None:
        """Compare with the last look; raises `InstanceChanged` where the run is strict.

        A server that is away just now is not looked at: the next call waits for it, and the look after it sees more.
        """
        with self._lock:
            try:
                row = find_loaded(self.server, self.settings.model)
            except ServerError as error:
                if not error.passing:
                    raise
                self.emit(Notice("warning", f"{error.what}: the instance was not looked at"))
                return
            counted, self._counted = self._counted, False
            before, self._row = self._row, row
            runner_gone = self._runner is not None and not processes.is_alive(self._runner)
            if self._row is None:
                if before is not None and not counted:
                    self._note_absence()
                return
            if runner_gone or (before is None and not counted):
                self._runner = self._find_runner()
            if counted or before is None:
                return
            if runner_gone or (self._row.size, self._row.context_length) != (before.size, before.context_length):
                self._note_reload(self._what_changed(before, self._row))
            elif self._row.expires_at and before.expires_at and self._row.expires_at < before.expires_at - 1:
                self._note_keep_alive(self._row.expires_at)

    def usage(self, usage: Usage) -> None:
        """Take what a reply tells: a load, a wait behind other requests, or a prompt that came out shorter."""
        with self._lock:
            if usage.load_s is not None and usage.load_s >= LOAD_THRESHOLD_S:
                self._counted = True
                self._note_reload(f"load_duration {usage.load_s:.2f} s in a {usage.client} reply")
            if usage.queued_s is not None and usage.queued_s >= QUEUE_THRESHOLD_S:
                self._note("queued", f"a request of {usage.client} waited {usage.queued_s:.1f} s", expected=True)
            if usage.truncated:
                self._note(
                    "truncation",
                    f"the server evaluated {usage.prompt_tokens} prompt tokens, fewer than were sent",
                    cause="the prompt did not fit the context, and the server dropped its oldest messages",
                    fix="Use a model with a larger context: super-agent up --context N",
                )

    def _find_runner(self) -> Runner | None:
        found = processes.runners(self.settings.base_url, self._weights)
        return found[0] if found else None

    def _what_changed(self, before: LoadedModel, now: LoadedModel) -> str:
        if now.context_length != before.context_length:
            return f"the context went from {before.context_length} to {now.context_length} tokens"
        return "its process is another one than before"

    def _note_absence(self) -> None:
        others = [row.name for row in self.server.loaded()]
        cause, fix = "it was unloaded, or its keep_alive ended", "super-agent up"
        if self._restarted():
            cause, fix = "the server was restarted", "super-agent up"
        elif others:
            cause, fix = f"{others[0]} took its place in memory", "Raise OLLAMA_MAX_LOADED_MODELS, or end that client"
        loaded = f"; loaded now: {', '.join(others)}" if others else ""
        self._note("eviction", f"{self.settings.model} is not loaded any more{loaded}", cause=cause, fix=fix)

    def _restarted(self) -> bool:
        """Whether another process listens than before; remembers the new one."""
        before, self._server_pid = self._server_pid, processes.server_pid(self.settings.base_url)
        return before is not None and self._server_pid is not None and before != self._server_pid

    def _note_reload(self, detail: str) -> None:
        if self._restarted():
            self._note("load", f"{detail}; the server was restarted", cause="the server was restarted")
            return
        cause = "another client asked for other runner options (num_ctx, num_gpu …), or for the base model"
        fix = "Let every client use the same model name and send no runner options"
        if self._row is not None and not same_model(self._row.name, self.settings.model):
            cause, fix = (
                f"a client uses {self._row.name}, which has the same weights",
                f"Let it use {self.settings.model}",
            )
        self._note("load" if self._row is None else "reload", detail, cause=cause, fix=fix)

    def _note_keep_alive(self, expires_at: float) -> None:
        self._note(
            "keep_alive_reset",
            f"the model would now be unloaded in {(expires_at - time.time()) / 60:.0f} min, earlier than before",
            cause="another client sent its own keep_alive",
            fix="Let the other client send none",
        )

    def _note(self, kind: Kind, detail: str, *, expected: bool = False, cause: str = "", fix: str = "") -> None:
        self.counts[kind] += 1
        self.emit(InstanceNoted(kind, expected, detail, cause, fix))
        if self.strict and not expected:
            raise InstanceChanged(f"the model instance changed ({kind.replace('_', ' ')}): {detail}", fix=fix)


@dataclass(slots=True)
class RunGate:
    """The gate of a run: the token limit before a call; counters, the watch and an event after it."""

    counting: CountingGate
    watch: InstanceWatch
    emit: Emit
    registered: dict[ClientKind, ClientLock] = field(default_factory=dict)
    """Where each client tells other processes what it has cost so far."""
    queue: RunQueue | None = None

    def before(self, request: RequestFacts) -> None:
        """Raises `LimitReached`; waits for other runs, see `RunQueue.enter`."""
        self.counting.before(request)
        if self.queue is not None:
            self.queue.enter(request)
        if (broken := request.prefix_break) is not None:
            self.emit(PrefixBroken(request.client, broken.message, broken.character, broken.reason))

    def ended(self, request: RequestFacts) -> None:
        """Other runs may have the model when it is their turn."""
        if self.queue is not None:
            self.queue.leave(request)

    def after(self, usage: Usage) -> None:
        """Count, tell, and look for a reload or a truncation; raises `InstanceChanged` where the run is strict."""
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
        self.watch.usage(usage)
