"""Is it the same model instance? Five checks of what is configured, then the live proof through the real clients.

Each check names what it saw by a key and values; the words, in either language, are the command line's.
"""

import asyncio
import secrets
from collections.abc import Callable

from super_agent.core.errors import ModelElsewhere, ModelNotFound, ReplyBroken, ServerError, ServerFailed
from super_agent.core.instance.check_results import CheckLine, ProofMiddleware
from super_agent.core.instance.diagnosis import Cause, ServerObservation, Values, WantedModel, find_cause, foreign_load
from super_agent.core.instance.instance_watch import LOAD_THRESHOLD_S
from super_agent.core.instance.sanity_check import crashed, sanity_check
from super_agent.core.instance.server_observation import observe, remember, remembered, with_evidence
from super_agent.core.instance.startup_notices import REAL_WORK_CONTEXT
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.client import ModelClient
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import LoadedModel, ModelDetails, Ollama, same_model
from super_agent.core.ollama.server import is_local
from super_agent.core.settings import Settings

PROOF_REPLY_TOKENS = 1
"""The proof needs the runner to answer, not what it says."""
MIB = 2**20
LIVE_NAMES = ("runner", "process", "contexts", "placement", "context")
"""The checks that a runner which fails leaves open."""
# Settings of a server that reload, evict or split: their values are shown where they are set.
TELLING_VARIABLES = ("OLLAMA_NUM_PARALLEL", "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_KEEP_ALIVE", "OLLAMA_CONTEXT_LENGTH")

AskExecutor = Callable[[list[Message]], Reply]
"""One whole reply of the executor's client."""


def five_checks(server: Ollama, autogen: ModelClient, executor: ModelClient, settings: Settings) -> list[CheckLine]:
    """The five checks in their order; without a server the next two cannot be seen, the last two can."""
    lines: list[CheckLine] = []
    try:
        lines.append(CheckLine("server", "passed", "server", {"version": server.version(), "url": autogen.base_url}))
        try:
            details = server.show_local(autogen.model)
        except (ModelNotFound, ModelElsewhere) as error:
            lines.append(CheckLine("model", "failed", "error", {"what": error.what, "fix": error.fix}, "error_fix"))
            lines.append(CheckLine("loaded", "not_observable", "no_model"))
        else:
            lines += [_model_exists(details), _model_loaded(server, details, settings)]
    except ServerError as error:
        lines = [CheckLine("server", "failed", "error", {"what": error.what, "fix": error.fix}, "error_fix")]
        lines += [CheckLine(name, "not_observable", "no_server") for name in ("model", "loaded")]
    return [*lines, _same_url(autogen, executor), _same_name(autogen, executor)]


def live_proof(
    server: Ollama, autogen: LLMClient, ask_executor: AskExecutor, middleware: ProofMiddleware, settings: Settings
) -> list[CheckLine]:
    """Checks 6 to 12; the model must be loaded. Costs four short prompts and some twenty tokens."""
    details = server.show(autogen.model)
    observations: list[ServerObservation] = []

    def observe_now() -> None:
        observations.append(with_evidence(observe(server, autogen.model, details.weights), settings))

    observe_now()
    processes_before = processes.runners(autogen.base_url, details.weights)
    word = secrets.token_hex(8)
    try:
        asyncio.run(_converse(autogen, ask_executor, word, observe_now))
    except (ServerFailed, ReplyBroken) as error:
        unseen = (CheckLine(name, "not_observable", "no_reply") for name in LIVE_NAMES)
        return [*unseen, crashed(error), _who_else(observations[-1], autogen)]
    processes_after = processes.runners(autogen.base_url, details.weights)
    if (row := observations[-1].row(autogen.model)) is not None and row.name:
        remember(settings, observations[-1])
    cause = find_cause(WantedModel.of(details), observations)
    return [
        _one_runner(observations, middleware, cause),
        _same_process(processes_before, processes_after, cause),
        _isolated(middleware, word),
        _placement(observations[-1], autogen.model, cause),
        _context(observations[-1].row(autogen.model), details, autogen, cause),
        sanity_check(settings, autogen.context_length),
        _who_else(observations[-1], autogen),
    ]


async def _converse(autogen: LLMClient, ask_executor: AskExecutor, word: str, observe_now: Callable[[], None]) -> None:
    """AutoGen's client, the executor's adapter, AutoGen's client again; only the first conversation holds the word.

    After each of them comes an observation of what is loaded: a reload that the last one undoes is seen in between.
    """
    secret = [Message("user", f"The word is {word}. Say ok.")]
    try:
        await _ask(autogen, secret)
        observe_now()
        ask_executor([Message("user", "Say ok.")])
        observe_now()
        await _ask(autogen, secret)
        observe_now()
    finally:
        await autogen.aclose()


async def _ask(client: LLMClient, messages: list[Message]) -> None:
    async for _item in client.stream(messages, reply_limit_tokens=PROOF_REPLY_TOKENS):
        continue


def _model_exists(details: ModelDetails) -> CheckLine:
    values: Values = {"model": details.name, "family": details.family, "context": details.num_ctx or 0}
    return CheckLine("model", "passed", "model" if details.num_ctx else "model_unbaked", values)


def _model_loaded(server: Ollama, details: ModelDetails, settings: Settings) -> CheckLine:
    wanted, observed = WantedModel.of(details), observe(server, details.name, details.weights)
    row = observed.row(wanted.model)
    if row is None:
        now, before = with_evidence(observed, settings), remembered(settings)
        cause = find_cause(wanted, [before, now] if before else [now])
        others = ", ".join(r.name for r in observed.rows)
        values: Values = {"model": wanted.model, "others": others}
        return CheckLine("loaded", "warning", "others_loaded" if others else "idle", values, "up", cause)
    if row.name:
        remember(settings, observed)
    values = {"model": wanted.model, "row": row.name or "…", "context": row.context_length, "mib": row.size // MIB}
    if wanted.baked is not None and row.context_length != wanted.baked:
        foreign = foreign_load(wanted, with_evidence(observed, settings))
        return CheckLine("loaded", "warning", "loaded_otherwise", values, "up", foreign)
    shared = observed.named(wanted.model) is None
    return CheckLine("loaded", "passed", "loaded_shared" if shared else "loaded", values)


def _same_url(autogen: ModelClient, executor: ModelClient) -> CheckLine:
    values: Values = {"autogen": autogen.endpoint, "executor": executor.endpoint}
    if autogen.base_url == executor.base_url:
        return CheckLine("url", "passed", "url", values)
    if processes.same_server(autogen.base_url, executor.base_url):
        return CheckLine("url", "passed", "url_spelt", values)
    return CheckLine("url", "failed", "url", values, "one_url")


def _same_name(autogen: ModelClient, executor: ModelClient) -> CheckLine:
    same = same_model(autogen.model, executor.model)
    values: Values = {"autogen": autogen.model, "executor": executor.model}
    return CheckLine("name", "passed" if same else "failed", "name", values, "" if same else "one_name")


def _one_runner(observations: list[ServerObservation], middleware: ProofMiddleware, cause: Cause) -> CheckLine:
    loads = [usage.load_s for usage in middleware.usages if usage.load_s is not None]
    load_s = max(loads, default=0.0)
    values: Values = {"load_ms": round(load_s * 1000)}
    model = middleware.sent[0].model
    rows = [row for observed in observations if (row := observed.row(model)) is not None]
    if len(rows) < len(observations):
        return CheckLine("runner", "failed", "gone", values, "up", cause)
    contexts = [row.context_length for row in rows]
    odd = next((context for context in contexts if context != contexts[-1]), None)
    values |= {"before": contexts[0] if odd is None else odd, "after": contexts[-1]}
    if odd is not None:
        return CheckLine("runner", "failed", "context_changed", values, "no_options", cause)
    if len({row.size for row in rows}) > 1 or load_s >= LOAD_THRESHOLD_S:
        return CheckLine("runner", "failed", "reloaded", values, "no_options", cause)
    return CheckLine("runner", "passed", "runner", values)


def _same_process(
    before: tuple[processes.RunnerProcess, ...] | None, after: tuple[processes.RunnerProcess, ...] | None, cause: Cause
) -> CheckLine:
    if before is None or after is None:
        return CheckLine("process", "not_observable", "process_hidden")
    if len(after) > 1:
        return CheckLine("process", "failed", "twice", {"pids": ", ".join(str(r.pid) for r in after)}, "one_server")
    if before != after:
        values: Values = {"was": before[0].pid, "pid": after[0].pid}
        return CheckLine("process", "failed", "other_process", values, "no_options", cause)
    return CheckLine("process", "passed", "process", {"pid": after[0].pid})


def _isolated(middleware: ProofMiddleware, word: str) -> CheckLine:
    """Asserted on what was sent: the word is in every prompt of AutoGen's side and in none of the executor's."""
    told = [r for r in middleware.sent if any(word in m.content for m in r.messages)]
    autogen = [r for r in middleware.sent if r.client == "autogen"]
    if told == autogen and len(autogen) < len(middleware.sent):
        return CheckLine("contexts", "passed", "contexts", {"word": word})
    return CheckLine("contexts", "failed", "contexts_mixed", {"word": word}, "report")


def _placement(observed: ServerObservation, model: str, gone: Cause) -> CheckLine:
    row = observed.row(model)
    if row is None:
        return CheckLine("placement", "failed", "gone", {}, "up", gone)
    outside = row.size - row.size_vram
    values: Values = {"mib": row.size // MIB, "outside": outside // MIB}
    if outside <= 0:
        return CheckLine("placement", "passed", "in_vram", values)
    rival = max((r for r in observed.rows if r is not row and r.size_vram), key=lambda r: r.size_vram, default=None)
    cause = None
    if rival is not None:
        cause = Cause("vram_shared", {"model": model, "name": rival.name, "mib": rival.size_vram // MIB})
    if row.size_vram == 0:
        return CheckLine("placement", "warning", "in_ram", values, "gpu", cause)
    return CheckLine("placement", "warning", "partly_in_vram", values, "smaller", cause)


def _context(row: LoadedModel | None, details: ModelDetails, autogen: LLMClient, cause: Cause) -> CheckLine:
    loaded, baked = row.context_length if row else 0, WantedModel.of(details).baked
    values: Values = {
        "loaded": loaded,
        "baked": baked or 0,
        "budget": autogen.context_length,
        "wanted": REAL_WORK_CONTEXT,
        "limit": details.max_context or REAL_WORK_CONTEXT,
        "model": autogen.model,
    }
    if baked is None:
        return CheckLine("context", "warning", "context_unbaked", values, "bake")
    if not loaded == baked == autogen.context_length:
        return CheckLine("context", "failed", "context_differs", values, "no_options", cause)
    if loaded < REAL_WORK_CONTEXT:
        small = (details.max_context or REAL_WORK_CONTEXT) < REAL_WORK_CONTEXT
        return CheckLine("context", "warning", "context_small", values, "other_model" if small else "bake")
    return CheckLine("context", "passed", "context", values)


def _who_else(observed: ServerObservation, autogen: LLMClient) -> CheckLine:
    row = observed.row(autogen.model)
    models = [r.name for r in observed.rows if r is not row]
    variables = processes.server_variables(autogen.base_url) or {}
    told = [f"{name}={variables[name]}" for name in TELLING_VARIABLES if variables.get(name)]
    values: Values = {
        "model": autogen.model,
        "first": models[0] if models else "",
        "models": ", ".join(models) or "-",
        "programs": ", ".join(observed.programs) or "-",
        "variables": ", ".join(told) or "-",
    }
    fix = "stop_others" if models else "tell_others" if observed.programs else "server_settings" if told else ""
    if not is_local(autogen.base_url):
        return CheckLine("others", "warning" if models else "not_observable", "others_remote", values, fix)
    return CheckLine("others", "warning" if fix else "passed", "others", values, fix)
