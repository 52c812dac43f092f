"""What a run tells about the instance before its first turn: what it found and repaired, and what others have to do."""

from collections import Counter
from collections.abc import Iterator

from super_agent.core.events import Notice
from super_agent.core.instance.client_registry import ClientEntry
from super_agent.core.instance.diagnosis import ServerObservation, WantedModel, foreign_load
from super_agent.core.instance.diagnosis_messages import cause_text, prevention_text
from super_agent.core.ollama.api import LoadedModel, same_model

REAL_WORK_CONTEXT = 16384
"""Tokens. A 32B model lost 20 points of aider's edit benchmark when its context was cut; 16k is the least."""


def conflict_notices(
    wanted: WantedModel, observed: ServerObservation, clients: tuple[ClientEntry, ...]
) -> Iterator[Notice]:
    """Before the model is loaded for the run: who else is there, and what loading it undoes; `clients` are ours."""
    row = observed.row(wanted.model)
    if row is not None and row.context_length != wanted.baked and (foreign := foreign_load(wanted, observed)):
        text = f"{wanted.model} was not loaded as it should be: {cause_text(foreign)}; it is loaded anew for this run"
        yield Notice("warning", text, prevention_text(foreign))
    others = [other.name for other in observed.rows if other is not row and other.name]
    if row is None and observed.max_loaded is not None and 0 < observed.max_loaded <= len(others):
        limit = f"the server keeps {observed.max_loaded} loaded (OLLAMA_MAX_LOADED_MODELS)"
        fix = f"Start the server with OLLAMA_MAX_LOADED_MODELS={observed.max_loaded + 1}"
        yield Notice("warning", f"{limit}: loading {wanted.model} drops {', '.join(others)}", fix)
    if kinds := Counter(client.kind for client in clients if same_model(client.model, wanted.model)):
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield Notice("info", f"other runs use {wanted.model} now ({told}): each request waits for the one before it")
    if observed.programs:
        yield Notice("info", f"others are connected to the server: {', '.join(sorted(set(observed.programs)))}")


def context_notices(wanted: WantedModel, loaded: LoadedModel, max_context: int | None) -> Iterator[Notice]:
    """After it is loaded: is the context safe, and enough? `max_context` is the model's own limit in tokens."""
    model, context = wanted.model, loaded.context_length
    bake = f"super-agent up --model NAME --from {model} --context {REAL_WORK_CONTEXT}"
    if wanted.baked is not None and context != wanted.baked:
        text = f"{model} has {wanted.baked} tokens of context baked in, and the server loaded it with {context}"
        yield Notice("warning", text, "See the server's log")
    if context < REAL_WORK_CONTEXT:
        short = (max_context or REAL_WORK_CONTEXT) < REAL_WORK_CONTEXT
        fix = f"Choose a model with a longer context: {max_context} is its own limit" if short else bake
        yield Notice("warning", f"{model} has a context of {context}; real work needs {REAL_WORK_CONTEXT}", fix)
    elif wanted.baked is None:
        yield Notice("warning", f"{model} has no context baked in ({context} now): any client can change it", bake)
