"""`make demo`: from nothing to a checked task, on the best local model that this machine has or can make."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psutil

from scripts.demo_model import ready_model
from scripts.own_ollama import find_program
from super_agent.cli.main import run_command
from super_agent.core.errors import ExitCode, OllamaUnreachable, SuperAgentError
from super_agent.core.ollama.api import Ollama
from super_agent.core.ollama.server import is_local, start_server
from super_agent.core.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parent.parent
TASK = "Write double.py with a function double(n) that returns n times 2."
CHECK = "python -c 'from double import double; assert double(21) == 42'"
STOP_TIMEOUT_S = 10.0
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
    """The user's server where it answers, else the one that `super-agent up` would start, ended with the demo.

    A demo that is killed leaves it running, as `up` does, so that `super-agent resume` finds server and model.
    """
    with Ollama(settings) as server:
        try:
            say(f"Ollama {server.version()} runs at {settings.base_url}")
        except OllamaUnreachable:
            say(f"no Ollama runs at {settings.base_url}")
        else:
            yield settings
            return
        if is_local(settings.base_url):
            find_program()  # built where there is none
        started = start_server(server, settings)
    say(f"started Ollama {started.version} there, until the demo is over (log: {started.log})")
    try:
        yield settings
    finally:
        _stop(psutil.Process(started.pid))


def _stop(server: psutil.Process) -> None:
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_S)
    except psutil.TimeoutExpired:
        server.kill()


def _run(env_file: list[str], base_url: str, model: str) -> int:
    # In the home folder, as `make run` does it: a demo that is cut short by a power cut can be resumed.
    workspace = Path.home() / "super-agent" / f"demo-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    workspace.mkdir(parents=True)
    where = ["--workspace", str(workspace), "--base-url", base_url, "--model", model]
    say(f"the task, in {workspace} with {model}; if it is cut short: super-agent resume --workspace {workspace}")
    code = run_command(["run", TASK, "--check", CHECK, *where, *env_file])
    if code == ExitCode.OK:
        say(f"done: {model} wrote {workspace}/double.py, and the check passed")
    elif code == ExitCode.NOT_DONE:
        say(PROVED.format(model=model))
    return code


if __name__ == "__main__":
    sys.exit(main())
