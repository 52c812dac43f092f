"""A runner that was compiled here is used with a model only after it has said what it must.

A wrongly compiled runner crashes, or writes garbage without an error, and may do so for one quantisation alone. So each
of our models has a fixed prompt whose answer at temperature 0 is known.
"""

import hashlib
from pathlib import Path

from super_agent.core.errors import ServerFailed
from super_agent.core.ollama import instruction_sets
from super_agent.core.ollama.api import Ollama
from super_agent.provision.demo_model import CODER, SMALL_CODER, TINY

PROMPT = "What is the capital of France?"
KNOWN = dict.fromkeys((CODER.alias, SMALL_CODER.alias, TINY.alias), "The capital of France is Paris.")
"""By model: how its answer to PROMPT begins, the same with avx512_vnni, avx512, avx2 and sse42 on one processor."""
ANSWER_TOKENS = 40
RUNNER_FILES = ("llama-server", "libggml-cpu.so", "libggml-base.so", "libllama.so")


class RunnerWrong(ServerFailed):
    """A runner crashed or answered something else than what is known; `home` is where it was built, if it was here."""

    home: Path | None = None


def prove_runner(server: Ollama, model: str) -> None:
    """Raise `RunnerWrong` where the model does not say what it must; a model that is not one of ours is not tried."""
    known = KNOWN.get(model)
    if known is None:
        return
    try:
        said = server.answer(model, PROMPT, ANSWER_TOKENS)
    except ServerFailed as error:
        raise RunnerWrong(f"{model} cannot be run: {error.what}") from error
    if not said.strip().startswith(known):
        raise RunnerWrong(f"{model} answers {said.strip()[:60]!r} where it must say {known!r}")


def is_proven(home: Path, model: str) -> bool:
    """Whether the runner in this folder, as it is now, was proven with this model on this processor."""
    try:
        return _line(home, model) in _marks(home).read_text(encoding="utf-8").splitlines()
    except OSError:
        return False


def mark_proven(home: Path, model: str) -> None:
    """Remember that the runner in this folder is right with this model on this processor."""
    with _marks(home).open("a", encoding="utf-8") as marks:
        marks.write(_line(home, model) + "\n")


def _marks(home: Path) -> Path:
    return home / f"proven-{instruction_sets.processor_key()}"


def _line(home: Path, model: str) -> str:
    digest = hashlib.sha256()
    for name in RUNNER_FILES:
        digest.update((home / "lib" / "ollama" / name).read_bytes())
    return f"{model} {digest.hexdigest()}"
