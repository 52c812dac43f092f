"""Is it the same model instance? Five checks of what is configured, then the live proof through the real clients.

Each check names what it saw by a key and values; the words, in either language, are the command line's.
"""

import asyncio
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from super_agent.core import processes
from super_agent.core.chat import Message, Reply
from super_agent.core.clients import live_clients
from super_agent.core.errors import ModelNotFound, ServerError
from super_agent.core.gate import RequestFacts, Usage
from super_agent.core.instance import LOAD_THRESHOLD_S, REAL_WORK_CONTEXT, find_loaded
from super_agent.core.llm_client import LLMClient
from super_agent.core.ollama import LoadedModel, ModelDetails, Ollama, same_model

PROOF_REPLY_TOKENS = 1
"""The proof needs the runner to answer, not what it says."""
MIB = 2**20
# Settings of a server that reload, evict or split: their values are shown where they are set.
TELLING_VARIABLES = ("OLLAMA_NUM_PARALLEL", "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_KEEP_ALIVE", "OLLAMA_CONTEXT_LENGTH")

Status = Literal["passed", "warning", "failed", "not_observable"]
Values = dict[str, str | int | float]


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


class Native(Endpoint, Protocol):
    """The executor's client as the proof uses it: one call, the whole reply."""

    def reply_to(self, messages: list[Message]) -> Reply:
        """Ask once."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check: `seen` and `fix` are keys into the command line's words, `values` what they are filled with."""

    name: str
    status: Status
    seen: str
    values: Values = field(default_factory=dict)
    fix: str = ""


@dataclass(slots=True)
class ProofGate:
    """Lets every call pass and keeps what was sent and what it cost."""

    sent: list[RequestFacts] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)

    def before(self, request: RequestFacts) -> None:
        """Keep the request."""
        self.sent.append(request)

    def after(self, usage: Usage) -> None:
        """Keep the cost."""
        self.usages.append(usage)

    def ended(self, request: RequestFacts) -> None:
        """Nothing is held for a call."""


def five_checks(server: Ollama, autogen: Endpoint, executor: Endpoint) -> list[CheckLine]:
    """The five checks in their order; without a server the next two cannot be seen, the last two can."""
    lines: list[CheckLine] = []
    try:
        lines.append(CheckLine("server", "passed", "server", {"version": server.version(), "url": autogen.base_url}))
        lines += [_model_exists(server, autogen.model), _model_loaded(server, autogen.model)]
    except ServerError as error:
        lines = [CheckLine("server", "failed", "error", {"what": error.what, "fix": error.fix}, "error_fix")]
        lines += [CheckLine(name, "not_observable", "no_server") for name in ("model", "loaded")]
    return [*lines, _same_url(autogen, executor), _same_name(autogen, executor)]


def live_proof(
    server: Ollama, autogen: LLMClient, executor: Native, gate: ProofGate, state_dir: Path
) -> list[CheckLine]:
    """Checks 6 to 11; the model must be loaded. Costs three short prompts and three tokens."""
    details = server.show(autogen.model)
    before = find_loaded(server, autogen.model)
    processes_before = processes.runners(autogen.base_url, details.weights)
    word = secrets.token_hex(8)
    asyncio.run(_converse(autogen, executor, word))
    after = find_loaded(server, autogen.model)
    processes_after = processes.runners(autogen.base_url, details.weights)
    return [
        _one_runner(before, after, gate),
        _same_process(processes_before, processes_after),
        _isolated(gate, word),
        _placement(after),
        _context(after, details, autogen),
        _who_else(server, autogen, state_dir),
    ]


async def _converse(autogen: LLMClient, executor: Native, word: str) -> None:
    """AutoGen's client, the executor's adapter, AutoGen's client again; only the first conversation holds the word."""
    secret = [Message("user", f"The word is {word}. Say ok.")]
    try:
        await _ask(autogen, secret)
        executor.reply_to([Message("user", "Say ok.")])
        await _ask(autogen, secret)
    finally:
        await autogen.aclose()


async def _ask(client: LLMClient, messages: list[Message]) -> None:
    async for _item in client.stream(messages, reply_limit_tokens=PROOF_REPLY_TOKENS):
        continue


def _model_exists(server: Ollama, model: str) -> CheckLine:
    try:
        details = server.show(model)
    except ModelNotFound as error:
        return CheckLine("model", "failed", "error", {"what": error.what, "fix": error.fix}, "error_fix")
    values: Values = {"model": model, "family": details.family, "context": details.num_ctx or 0}
    return CheckLine("model", "passed", "model" if details.num_ctx else "model_unbaked", values)


def _model_loaded(server: Ollama, model: str) -> CheckLine:
    row = find_loaded(server, model)
    if row is not None:
        values: Values = {"model": row.name, "context": row.context_length, "mib": row.size // MIB}
        return CheckLine("loaded", "passed", "loaded", values)
    others = ", ".join(r.name for r in server.loaded())
    return CheckLine(
        "loaded", "warning", "others_loaded" if others else "idle", {"model": model, "others": others}, "up"
    )


def _same_url(autogen: Endpoint, executor: Endpoint) -> CheckLine:
    same = autogen.base_url == executor.base_url
    values: Values = {"autogen": autogen.endpoint, "executor": executor.endpoint}
    return CheckLine("url", "passed" if same else "failed", "url", values, "" if same else "one_url")


def _same_name(autogen: Endpoint, executor: Endpoint) -> CheckLine:
    same = same_model(autogen.model, executor.model)
    values: Values = {"autogen": autogen.model, "executor": executor.model}
    return CheckLine("name", "passed" if same else "failed", "name", values, "" if same else "one_name")


def _one_runner(before: LoadedModel | None, after: LoadedModel | None, gate: ProofGate) -> CheckLine:
    loads = [usage.load_s for usage in gate.usages if usage.load_s is not None]
    load_s = max(loads, default=0.0)
    values: Values = {"load_ms": round(load_s * 1000)}
    if before is None or after is None:
        return CheckLine("runner", "failed", "gone", values, "up")
    values |= {"before": before.context_length, "after": after.context_length}
    if before.context_length != after.context_length:
        return CheckLine("runner", "failed", "context_changed", values, "no_options")
    if before.size != after.size or load_s >= LOAD_THRESHOLD_S:
        return CheckLine("runner", "failed", "reloaded", values, "no_options")
    return CheckLine("runner", "passed", "runner", values)


def _same_process(before: tuple[processes.Runner, ...] | None, after: tuple[processes.Runner, ...] | None) -> CheckLine:
    if before is None or after is None:
        return CheckLine("process", "not_observable", "process_hidden")
    if len(after) > 1:
        return CheckLine("process", "failed", "twice", {"pids": ", ".join(str(r.pid) for r in after)}, "one_server")
    if before != after:
        return CheckLine(
            "process", "failed", "other_process", {"was": before[0].pid, "pid": after[0].pid}, "no_options"
        )
    return CheckLine("process", "passed", "process", {"pid": after[0].pid})


def _isolated(gate: ProofGate, word: str) -> CheckLine:
    """Asserted on what was sent: the word is in every prompt of AutoGen's side and in none of the executor's."""
    told = [r for r in gate.sent if any(word in m.content for m in r.messages)]
    autogen = [r for r in gate.sent if r.client == "autogen"]
    if told == autogen and len(autogen) < len(gate.sent):
        return CheckLine("contexts", "passed", "contexts", {"word": word})
    return CheckLine("contexts", "failed", "contexts_mixed", {"word": word})


def _placement(row: LoadedModel | None) -> CheckLine:
    if row is None:
        return CheckLine("placement", "failed", "gone", {"load_ms": 0}, "up")
    outside = row.size - row.size_vram
    values: Values = {"mib": row.size // MIB, "outside": outside // MIB}
    if outside <= 0:
        return CheckLine("placement", "passed", "in_vram", values)
    if row.size_vram == 0:
        return CheckLine("placement", "warning", "in_ram", values, "gpu")
    return CheckLine("placement", "warning", "partly_in_vram", values, "smaller")


def _context(row: LoadedModel | None, details: ModelDetails, autogen: LLMClient) -> CheckLine:
    loaded = row.context_length if row else 0
    values: Values = {
        "loaded": loaded,
        "baked": details.num_ctx or 0,
        "budget": autogen.context_length,
        "wanted": REAL_WORK_CONTEXT,
        "model": autogen.model,
    }
    if details.num_ctx is None:
        return CheckLine("context", "warning", "context_unbaked", values, "bake")
    if not loaded == details.num_ctx == autogen.context_length:
        return CheckLine("context", "failed", "context_differs", values, "no_options")
    if loaded < REAL_WORK_CONTEXT:
        return CheckLine("context", "warning", "context_small", values, "bake")
    return CheckLine("context", "passed", "context", values)


def _who_else(server: Ollama, autogen: LLMClient, state_dir: Path) -> CheckLine:
    rows = server.loaded()
    models = [row.name for row in rows if not same_model(row.name, autogen.model)]
    ours = {client.pid for client in live_clients(state_dir)}
    seen = processes.connections(autogen.base_url, {*ours, os.getpid()})
    variables = processes.server_variables(autogen.base_url) or {}
    told = [f"{name}={variables[name]}" for name in TELLING_VARIABLES if variables.get(name)]
    values: Values = {
        "models": ", ".join(models) or "-",
        "programs": ", ".join(sorted({f"{c.program} ({c.address})" for c in seen or ()})) or "-",
        "variables": ", ".join(told) or "-",
    }
    if seen is None:
        return CheckLine("others", "warning" if models else "not_observable", "others_remote", values)
    return CheckLine("others", "warning" if models or seen or told else "passed", "others", values)
