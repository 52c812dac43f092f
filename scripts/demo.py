"""`make demo`: from nothing to a small project that was mended, on the best local model that this machine can have."""

import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from scripts.own_ollama import find_program
from scripts.proven_ollama import prove_once, with_right_runner
from super_agent.cli.main import run_command
from super_agent.core.errors import ExitCode, OllamaUnreachable, SuperAgentError
from super_agent.core.ollama import processes
from super_agent.core.ollama.api import Ollama
from super_agent.core.ollama.server import is_local, start_server
from super_agent.core.settings import Settings, load_settings
from super_agent.provision.demo_model import DemoModelChoice, ready_model
from super_agent.provision.runner_proof import RunnerWrong

PROJECT = Path(__file__).resolve().parent.parent
SHOP = Path(__file__).resolve().parent / "demo_project"
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class DemoTask:
    """What the demo asks for: a task, its check, and the files it begins with."""

    task: str
    check: str
    files: Path | None


MEND = DemoTask(
    "Some tests fail. Change only basket.py: line_total must return the price times the quantity; add a function "
    "count_pieces(basket) that returns the sum of the quantities in the basket.",
    "pytest -q",
    SHOP,
)
DOUBLE = DemoTask(
    "Write double.py with a function double(n) that returns n times 2.",
    "python -c 'from double import double; assert double(21) == 42'",
    None,
)
"""For a model that cannot do more."""
TINY_SAYS = "{model} has 135M parameters: it shows how things work and writes a two-line function, no more"
NOT_DONE = """\
{model} did not get it done this time: another run may, and a larger model more often. What the demo did prove: the
environments are made, the server answers, one model serves the team and the executor, and the check ran in the sandbox.
With a model of yours: `super-agent up` and then `make run TASK="…" WORKSPACE={workspace} CHECK="{check}"`"""
GO_ON = """\
How to go on:
  super-agent show -w {workspace}       the run as it was seen
  super-agent diff -w {workspace}       what it changed
  super-agent undo -w {workspace}       takes that back
  make run TASK="…" WORKSPACE=~/src/yours CHECK="pytest -q"    the same with your own folder"""


def say(text: str) -> None:
    """A line on stderr, where progress goes."""
    print(f"super-agent: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the demo; the exit code is that of its `super-agent run`."""
    # The checkout's own .env, as `make run` reads it.
    env_file = PROJECT / ".env"
    known = env_file if env_file.is_file() else None
    try:
        settings = load_settings(env_file=known)
        started: list[psutil.Process] = []
        try:
            choice = with_right_runner(lambda: _ready(settings, started), say)
            return _run(["--env-file", str(known)] if known else [], settings.base_url, choice)
        finally:
            _stop(started)
    except SuperAgentError as error:
        say(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted")
        return int(ExitCode.INTERRUPTED)


def _ready(settings: Settings, started: list[psutil.Process]) -> DemoModelChoice:
    """Server and model, ready and proven; a server that had to be started ends with the demo.

    A demo that is killed leaves it running, as `up` does, so that `super-agent resume` finds server and model.
    Raises `RunnerWrong` where the runner does not answer as it must; a server that was started is then ended.
    """
    with Ollama(settings) as server:
        try:
            say(f"Ollama {server.version()} runs at {settings.base_url}")
        except OllamaUnreachable:
            say(f"no Ollama runs at {settings.base_url}")
            if is_local(settings.base_url):
                find_program()  # built where there is none
            new = start_server(server, settings)
            started.append(psutil.Process(new.pid))
            say(f"started Ollama {new.version} there, until the demo is over (log: {new.log})")
        choice = ready_model(server, settings, say)
        try:
            prove_once(server, choice.model, _program_of(settings), say)
        except RunnerWrong:
            _stop(started)
            raise
    say(f"the model is {choice.model}: {choice.reason}")
    return choice


def _program_of(settings: Settings) -> Path:
    """The running server's program where it can be seen, else one that is nobody's."""
    pid = processes.server_pid(settings.base_url) if is_local(settings.base_url) else None
    with suppress(psutil.Error):
        return Path(psutil.Process(pid).exe()) if pid is not None else Path()
    return Path()


def _stop(started: list[psutil.Process]) -> None:
    while started:
        server = started.pop()
        with suppress(psutil.NoSuchProcess):
            server.terminate()
            try:
                server.wait(STOP_TIMEOUT_S)
            except psutil.TimeoutExpired:
                server.kill()


def _run(env_file: list[str], base_url: str, choice: DemoModelChoice) -> int:
    # In the home folder, as `make run` does it: a demo that is cut short by a power cut can be resumed.
    workspace = Path.home() / "super-agent" / f"demo-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    job = DOUBLE if choice.tiny else MEND
    if choice.tiny:
        say(TINY_SAYS.format(model=choice.model))
    if job.files is None:
        workspace.mkdir(parents=True)
    else:
        shutil.copytree(job.files, workspace, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    where = ["--workspace", str(workspace), "--base-url", base_url, "--model", choice.model, *env_file]
    say(f"the task, in {workspace}; if it is cut short: super-agent resume --workspace {workspace}")
    code = run_command(["run", job.task, "--check", job.check, *where])
    if code == ExitCode.OK:
        print(flush=True)
        run_command(["diff", "--workspace", str(workspace), *env_file])
        say(f"done: {choice.model} changed {workspace}, and the check passed")
        print(GO_ON.format(workspace=workspace), file=sys.stderr)
    elif code == ExitCode.NOT_DONE:
        say(NOT_DONE.format(model=choice.model, workspace=workspace, check=job.check))
    return code


if __name__ == "__main__":
    sys.exit(main())
