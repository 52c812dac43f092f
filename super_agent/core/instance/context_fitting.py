"""How large a context fits: measured by trial loads, never guessed.

Models without a compressed cache need hundreds of KiB of memory for each token, so the size of the weights says little.
"""

from collections.abc import Callable

import psutil

from super_agent.core.errors import ServerError
from super_agent.core.instance.instance_watch import find_loaded
from super_agent.core.instance.startup_notices import REAL_WORK_CONTEXT
from super_agent.core.ollama.aliases import Recipe, create_alias
from super_agent.core.ollama.api import LoadedModel, Ollama
from super_agent.core.ollama.server import is_local

LARGEST_CONTEXT = 65536
"""More than this a model of one consumer GPU does not use well; `--context` goes beyond."""
MEMORY_SHARE = 0.7
"""Of the machine's memory, for a model that lies in main memory: the rest is for everything else."""

Tell = Callable[[str], None]


def fit_context(server: Ollama, model: str, recipe: Recipe, keep_alive: str, tell: Tell) -> Recipe:
    """The recipe with the largest context that fits, at least 16k where the model itself can do that.

    Makes and loads the alias for each try; raises the `ServerError` of the smallest one where even that fails.
    """
    limit = server.show(recipe.base).max_context or REAL_WORK_CONTEXT
    tries = _candidates(limit)
    for context in tries:
        chosen = Recipe(recipe.base, {**recipe.parameters, "num_ctx": context})
        for _step in create_alias(server, model, chosen):
            continue
        try:
            server.load(model, keep_alive)
        except ServerError:
            if context == tries[-1]:
                raise
            tell(f"a context of {context} cannot be loaded")
            continue
        problem = _problem(server, find_loaded(server, model))
        if not problem:
            return chosen
        tell(f"a context of {context} {problem}")
        if context == tries[-1]:
            return chosen
        server.unload(model)
    raise RuntimeError("there is always one context to try")


def _candidates(limit: int) -> list[int]:
    """From the largest to the least that real work needs, each half of the one before."""
    context = min(limit, LARGEST_CONTEXT)
    found = [context]
    while context // 2 >= REAL_WORK_CONTEXT:
        context //= 2
        found.append(context)
    return found


def _problem(server: Ollama, row: LoadedModel | None) -> str:
    """Why a loaded model does not fit, or empty."""
    if row is None:
        return "was dropped at once"
    if 0 < row.size_vram < row.size:
        return f"leaves {(row.size - row.size_vram) / 1e9:.1f} GB outside the graphics memory"
    if row.size_vram == 0 and is_local(server.base_url) and row.size > MEMORY_SHARE * psutil.virtual_memory().total:
        return f"needs {row.size / 1e9:.1f} GB, more than {MEMORY_SHARE:.0%} of this machine's memory"
    return ""
