"""What happens between a run and the model: calls, waits, the context and the instance. See `core/events/`."""

from dataclasses import dataclass
from typing import Literal

from super_agent.core.client_kind import ClientKind

InstanceKind = Literal["load", "reload", "eviction", "keep_alive_reset", "truncation", "queued"]


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The model is loaded once for this run."""

    model: str
    context_length: int
    load_s: float
    size_bytes: int
    size_vram_bytes: int


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """One model call of either client. `load_s` and `prompt_s` are None where the API does not tell (`/v1`).

    `prompt_tokens` count cached ones too; `evaluated_tokens` of them were not in the server's cache, computed from what
    extends the call before, or measured where the server's `prompt_s` (seconds) shows it.
    """

    client: ClientKind
    prompt_tokens: int
    completion_tokens: int
    wall_s: float
    load_s: float | None
    evaluated_tokens: int | None = None
    evaluated_measured: bool = False
    prompt_s: float | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """Other runs have the model; `position` counts from 1, `waiting_for` names the runs that have it now."""

    client: ClientKind
    position: int
    waiting_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueuePassed:
    """The run has the model after waiting for others."""

    client: ClientKind
    waited_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server is alive and has sent nothing for `seconds`: no piece of the reply yet, or no further one."""

    client: ClientKind
    seconds: float
    waiting_for: Literal["first_piece", "next_piece"]


@dataclass(frozen=True, slots=True)
class Retried:
    """A request failed in a way that may pass, and is sent again after `wait_s`; `attempt` counts from 1."""

    client: ClientKind
    attempt: int
    limit: int
    reason: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class ReplyDiscarded:
    """A reply broke off after pieces of it were streamed: they count for nothing, the reply begins anew."""

    client: ClientKind
    reason: str


@dataclass(frozen=True, slots=True)
class ContextCompacted:
    """A conversation came near the end of its context: its middle was replaced by a summary made by rules.

    Tokens are estimates of the whole prompt; `kept` and `left_out` say what of it is still there and what is not.
    """

    client: ClientKind
    tokens_before: int
    tokens_after: int
    kept: str
    left_out: str


@dataclass(frozen=True, slots=True)
class PrefixBroken:
    """A prompt did not extend the one before it, so the server evaluates it again from there on.

    `message` and `character` (both from 0) are where it first differs.
    """

    client: ClientKind
    message: int
    character: int
    reason: str


@dataclass(frozen=True, slots=True)
class InstanceNoted:
    """The model instance did something nobody asked for (or a load that was expected)."""

    kind: InstanceKind
    expected: bool
    detail: str
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class ClientUsage:
    """Totals of one client over a run, in tokens as the server counts them; see `RequestFinished` for the rest."""

    client: ClientKind
    requests: int
    prompt_tokens: int
    completion_tokens: int
    evaluated_tokens: int | None = None
    evaluated_measured: bool = False
    prompt_s: float | None = None
