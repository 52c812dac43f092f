"""Models of ours: aliases with the context size baked in, because `/v1` has no field for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from super_agent.core.errors import ModelNotFound, UsageError
from super_agent.core.ollama.api import ModelDetails, Ollama, ProgressResponse, same_model

MARK = "Alias made by super-agent"
"""Begins the line in the licence field of what `up` makes, to tell its aliases from the user's models."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a known model name is made: the base model to pull and the parameters to bake in."""

    base: str
    parameters: dict[str, int | float]


KNOWN: dict[str, Recipe] = {
    # 16k: the least for real work; its compressed cache keeps that within a 12 GB card beside the 10.4 GB of weights.
    "deepseek-coder-v2-16b-q4_k_m-rtx": Recipe("deepseek-coder-v2:16b-lite-instruct-q4_K_M", {"num_ctx": 16384}),
    "qwen2.5-coder-7b-16k": Recipe("qwen2.5-coder:7b", {"num_ctx": 16384}),
    "qwen2.5-coder-1.5b-16k": Recipe("qwen2.5-coder:1.5b", {"num_ctx": 16384}),
}


def recipe_for(model: str, base: str | None, context: int | None) -> Recipe:
    """What to make `model` from; without a context in it, what fits is to be found out.

    Raises `ModelNotFound` for a name that is not known and has no --from.
    """
    known = next((recipe for name, recipe in KNOWN.items() if same_model(name, model)), None)
    if base is None and known is None:
        raise ModelNotFound(
            f"the model {model} is neither on the server nor known here",
            fix=f"super-agent up --model {model} --from BASE",
        )
    chosen = known.parameters if known is not None else {}
    parameters = {**chosen, **({"num_ctx": context} if context else {})}
    return Recipe(base or (known.base if known else ""), parameters)


def is_ours(details: ModelDetails) -> bool:
    """Whether `up` made this model."""
    return any(line.startswith(MARK) for line in details.license.splitlines())


def create_alias(server: Ollama, model: str, recipe: Recipe) -> Iterator[ProgressResponse]:
    """Make the alias; raises `UsageError` where a model of that name exists and is not ours."""
    try:
        existing = server.show(model)
    except ModelNotFound:
        existing = None
    if existing is not None and not is_ours(existing):
        raise UsageError(
            f"{model} exists and was not made by super-agent, so it is left alone", fix="Choose another --model"
        )
    baked = ", ".join(f"{name} {value}" for name, value in recipe.parameters.items())
    note = f"{MARK}: {recipe.base} with {baked}."
    yield from server.create(model, recipe.base, parameters=recipe.parameters, license=note)
