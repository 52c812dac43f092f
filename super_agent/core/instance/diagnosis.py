"""Why the model instance is not as it was left: from two observations to the cause, without asking anybody.

`verify` and the watch of a run both ask here, so both say the same; the words are in `cause_words`.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from super_agent.core.ollama.responses import LoadedModel, ModelDetails, same_model

CauseKind = Literal[
    "server_restarted",
    "model_replaced",
    "base_name",
    "other_alias",
    "foreign_context",
    "foreign_load",
    "keep_alive_ended",
    "displaced",
    "memory",
    "displaced_or_memory",
    "unloaded",
    "not_loaded_yet",
    "in_between",
    "foreign_keep_alive",
    "prompt_cut",
    "vram_shared",
]
Values = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that was found; `values` fill its words, `connected` are the programs that may be behind it."""

    kind: CauseKind
    values: Values = field(default_factory=dict)
    connected: str = ""


@dataclass(frozen=True, slots=True)
class WantedModel:
    """The instance as it should be. `base` is the model it was made from, `baked` its context (None: none is)."""

    model: str
    base: str = ""
    baked: int | None = None

    @classmethod
    def of(cls, details: ModelDetails) -> Self:
        """What the server says of a model; it never loads more context than the model itself has."""
        limits = [limit for limit in (details.num_ctx, details.max_context) if limit]
        return cls(details.name, details.parent, min(limits) if details.num_ctx else None)


@dataclass(frozen=True, slots=True)
class ServerObservation:
    """What was seen of a server at once; `at` is seconds since the epoch.

    `siblings` are the names of those rows that hold our model's weights under another name; a row without a name is a
    runner that is just being started for somebody, seen by its process (`/api/ps` has no row for it yet).
    `server_pid` is None and `max_loaded` (OLLAMA_MAX_LOADED_MODELS; 0: the server's own choice) is None where they
    cannot be observed. `programs` are those of others that are connected.
    """

    at: float
    rows: tuple[LoadedModel, ...] = ()
    siblings: frozenset[str] = frozenset()
    server_pid: int | None = None
    max_loaded: int | None = None
    programs: tuple[str, ...] = ()

    def named(self, model: str) -> LoadedModel | None:
        """The row of this very name."""
        return next((row for row in self.rows if same_model(row.name, model)), None)

    def row(self, model: str) -> LoadedModel | None:
        """The row that serves the model: of its name, or of another alias of the same weights."""
        return self.named(model) or next((row for row in self.rows if row.name in self.siblings), None)


def find_cause(wanted: WantedModel, observations: Sequence[ServerObservation], *, last_use: float = 0.0) -> Cause:
    """Why the instance was loaded anew or is gone; observations oldest first, at least one.

    `last_use` is when we used it last (seconds since the epoch): every use starts its keep_alive again.
    """
    pairs: list[tuple[ServerObservation | None, ServerObservation]] = [*itertools.pairwise(observations)] or [
        (None, observations[-1])
    ]
    found = [_between(wanted, before, now, last_use) for before, now in pairs]
    return next((cause for cause in found if cause.kind != "in_between"), found[-1])


def foreign_load(wanted: WantedModel, observed: ServerObservation) -> Cause | None:
    """Who else loaded our weights, where the row shows it and it would be loaded anew for us."""
    named, row = observed.named(wanted.model), observed.row(wanted.model)
    if row is None or wanted.baked is None or (named is not None and row.context_length == wanted.baked):
        return None
    values: Values = {"model": wanted.model, "context": row.context_length, "baked": wanted.baked, "name": row.name}
    if named is not None:
        return Cause("foreign_context", values, _connected(observed))
    if not row.name:
        other = row.context_length != wanted.baked
        return Cause("foreign_load", values, _connected(observed)) if other else None
    kind: CauseKind = "base_name" if same_model(row.name, wanted.base) else "other_alias"
    return Cause(kind, values, _connected(observed))


def _between(wanted: WantedModel, before: ServerObservation | None, now: ServerObservation, last_use: float) -> Cause:
    values: Values = {"model": wanted.model}
    if before is not None and None not in (before.server_pid, now.server_pid) and before.server_pid != now.server_pid:
        return Cause("server_restarted", values)
    if now.row(wanted.model) is None:
        return _absence(wanted, before, now, last_use)
    was, named = before.named(wanted.model) if before else None, now.named(wanted.model)
    if was is not None and named is not None and was.digest != named.digest:
        return Cause("model_replaced", values)
    # What was foreign at the last observation explains the load that makes it ours again.
    foreign = foreign_load(wanted, now) or (foreign_load(wanted, before) if before else None)
    if foreign is None and before is not None and (ended := _keep_alive_ended(wanted, before, now, last_use)):
        return ended
    return foreign or Cause("in_between", values, _connected(now))


def _absence(wanted: WantedModel, before: ServerObservation | None, now: ServerObservation, last_use: float) -> Cause:
    """Why no row serves the model now."""
    values: Values = {"model": wanted.model}
    if before is None or before.row(wanted.model) is None:
        return Cause("not_loaded_yet", values)
    if ended := _keep_alive_ended(wanted, before, now, last_use):
        return ended
    known = {row.name for row in before.rows}
    newcomer = next((row.name for row in now.rows if row.name not in known), None)
    if newcomer is None:
        return Cause("unloaded", values, _connected(now))
    values |= {"name": newcomer, "limit": now.max_loaded or 0, "more": (now.max_loaded or 0) + 1}
    if now.max_loaded is None:
        return Cause("displaced_or_memory", values, _connected(now))
    full = 0 < now.max_loaded <= len(now.rows)
    return Cause("displaced" if full else "memory", values, _connected(now))


def _keep_alive_ended(
    wanted: WantedModel, before: ServerObservation, now: ServerObservation, last_use: float
) -> Cause | None:
    was = before.row(wanted.model)
    if was is None or was.expires_at is None:
        return None
    ended = was.expires_at + max(0.0, last_use - before.at)
    until = time.strftime("%H:%M:%S", time.localtime(ended))
    return Cause("keep_alive_ended", {"model": wanted.model, "until": until}) if ended <= now.at else None


def _connected(observed: ServerObservation) -> str:
    return ", ".join(sorted(set(observed.programs)))
