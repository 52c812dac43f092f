"""An Ollama that answers as it must: `python -m scripts.proven_ollama` builds, tries, and prints its path.

Where the runner that was compiled here is wrong with a model, it is refused on this processor for good and the next
smaller set of instructions is compiled, down to the plainest.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scripts.own_ollama import OwnOllama, cache_folder, find_program
from super_agent.core.errors import SuperAgentError
from super_agent.core.ollama import instruction_sets
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import SMALL_CODER, TINY, packaged_model
from super_agent.provision.runner_proof import RunnerWrong, is_proven, mark_proven, prove_runner

Tell = Callable[[str], None]
T = TypeVar("T")


def built_home(program: Path) -> Path | None:
    """The folder of an Ollama that was built here; None for any other."""
    home = program.resolve().parent.parent
    return home if home.parent == cache_folder().resolve() and home.name.startswith("ollama-") else None


def with_right_runner(attempt: Callable[[], T], tell: Tell) -> T:
    """What `attempt` gives, tried with a smaller set of instructions each time it raises `RunnerWrong`.

    Raises `RunnerWrong` for a runner that was not built here, and `OllamaUnreachable` where no set is left.
    """
    while True:
        try:
            return attempt()
        except RunnerWrong as wrong:
            if wrong.home is None:
                raise
            instruction_sets.refuse(wrong.home, wrong.what)
            tell(f"{wrong.what}; the runner in {wrong.home.name} is not used on this processor again")


def prove_once(server: Ollama, model: str, program: Path, tell: Tell) -> None:
    """Prove the server's runner with this model, unless it was; `program` is the server's.

    Raises `RunnerWrong`, for a runner of anybody's: what answers garbage is no demo.
    """
    home = built_home(program)
    if home is not None and is_proven(home, model):
        return
    try:
        prove_runner(server, model)
    except RunnerWrong as wrong:
        wrong.home = home
        raise
    if home is not None:
        mark_proven(home, model)
        tell(f"the runner in {home.name} is proven with {model}")


def main() -> None:
    """Prove it with the models of the live tests; prints the program."""

    def tell(text: str) -> None:
        print(f"super-agent: {text}", file=sys.stderr, flush=True)

    def attempt() -> Path:
        program = find_program("--ours")
        with (
            tempfile.TemporaryDirectory() as folder,
            OwnOllama(program, Path(folder) / "ollama.log") as own,
            Ollama(load_settings({"base_url": own.base_url})) as server,
        ):
            for model in (TINY, SMALL_CODER):
                prove_once(server, packaged_model(server, model, tell), program, tell)
        return program

    try:
        print(with_right_runner(attempt, tell))
    except SuperAgentError as error:
        tell(str(error))
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
