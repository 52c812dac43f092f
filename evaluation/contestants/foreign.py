"""The environments of foreign contestants: each from its own lock, made once, in the user's cache folder."""

import sys
from collections.abc import Mapping
from pathlib import Path

from interpreter.engine.environment import ensure_environment
from scripts.own_ollama import cache_folder

LOCKS = Path(__file__).parent / "locks"
DRIVERS = Path(__file__).parent / "drivers"
QUIET: Mapping[str, str] = {
    "OPENAI_API_KEY": "none",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else litellm fetches it from the network at each start
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "COLUMNS": "200",
}


def python_of(name: str) -> Path:
    """The Python that has it; raises `EngineFailed` where the environment cannot be made."""
    return ensure_environment(f"evaluation-{name}", LOCKS / f"{name}.txt", _tell, cache_folder())


def _tell(text: str) -> None:
    print(f"evaluation: {text}", file=sys.stderr, flush=True)
