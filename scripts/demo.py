"""`make demo`: from nothing to a checked task, on the best local model that this machine has or can make."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.demo_model import ready_model
from scripts.own_ollama import OwnOllama, cache_folder, find_program
from super_agent.cli.main import run_command
from super_agent.core.errors import ExitCode, OllamaUnreachable, SuperAgentError
from super_agent.core.ollama import Ollama
from super_agent.core.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parent.parent
TASK = "Write double.py with a function double(n) that returns n times 2."
CHECK = "python -c 'from double import double; assert double(21) == 42'"
PROVED = """\
{model} did not manage the task: it is too small for it. What the demo did prove: the environments are made, the
server answers, one model serves the team and the executor, and the check ran in the sandbox.
A model that can do more: `super-agent up` and then `make run TASK="…"`"""


def say(text: str) -> None:
    """A line on stderr, where progress goes."""
    print(f"super-agent: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the demo; the exit code is that of its `super-agent run`."""
    # The checkout's own .env, as `make run` reads it.
    env_file = PROJECT / ".env"
    known = env_file if env_file.is_file() else None
    try:
        with _server(load_settings(env_file=known)) as settings:
            with Ollama(settings) as server:
                model = ready_model(server, settings, say)
            return _run(["--env-file", str(known)] if known else [], settings.base_url, model)
    except SuperAgentError as error:
        say(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted")
        return int(ExitCode.INTERRUPTED)


@contextmanager
def _server(settings: Settings) -> Iterator[Settings]:
    """The settings of the user's server where it answers, else of one that lives as long as the demo."""
    try:
        with Ollama(settings) as server:
            say(f"Ollama {server.version()} runs at {settings.base_url}")
    except OllamaUnreachable:
        say(f"no Ollama runs at {settings.base_url}")
    else:
        yield settings
        return
    program = find_program()
    with OwnOllama(program, cache_folder() / "demo-ollama.log") as own:
        say(f"started {program} at {own.base_url}, for the demo only; its models stay in {cache_folder()}")
        yield settings.model_copy(update={"base_url": own.base_url})


def _run(env_file: list[str], base_url: str, model: str) -> int:
    workspace = tempfile.mkdtemp(prefix="super-agent-demo-")
    where = ["--workspace", workspace, "--base-url", base_url, "--model", model]
    say(f"the task, in {workspace} with {model}:")
    code = run_command(["run", TASK, "--check", CHECK, *where, *env_file])
    if code == ExitCode.OK:
        say(f"done: {model} wrote {workspace}/double.py, and the check passed")
    elif code == ExitCode.NOT_DONE:
        say(PROVED.format(model=model))
    return code


if __name__ == "__main__":
    sys.exit(main())
