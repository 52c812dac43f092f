"""`node`: make this machine a node of a cluster for `batch --ray`: prove its model, then print and run `ray start`."""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from super_agent import __version__
from super_agent.batch.cluster.node_compatibility import ModelFacts, NodeDiffers, expected
from super_agent.batch.cluster.ray_connection import HOST_PORT, require_listener
from super_agent.batch.cluster.ray_output import SAME, is_refused, mismatch, wrong_line
from super_agent.cli.commands import up, verify
from super_agent.cli.say import complain, say, say_json
from super_agent.core.errors import EngineFailed, ServerFailed, UsageError
from super_agent.core.orphans import nothing_left_on_failure
from super_agent.core.settings import RAY_VARIABLES, Settings, load_settings, ray_token_there, server_environment

START_S = 180.0
"""A slow disk took 52 s."""
PATIENCE = {"RAY_gcs_server_port_wait_time_s": "120"}
"""A head gives its own server 20 s by itself, which a machine with a full run queue exceeded."""
AGAIN = "Nothing of it was left running: set that right, and give the same command again"
BEGIN = "import sys; from ray.scripts.scripts import main; sys.argv[0] = 'ray'; main()"


@dataclass(frozen=True, slots=True)
class NodeArguments:
    """What was typed: `address` is the head's, or None for the head itself; `expect` what the head told."""

    address: str | None
    port: int
    expect: str | None
    any_model: bool
    only_print: bool
    json: bool
    more: tuple[str, ...]


def main(ask: NodeArguments, flags: dict[str, Any], env_file: Path | None) -> int:
    """Returns the exit code; raises the `SuperAgentError` of what could not be."""
    settings = load_settings(flags, env_file=env_file)
    if ask.address is not None and not HOST_PORT.fullmatch(ask.address):
        raise UsageError(f"--address={ask.address}: allowed is HOST:PORT", fix="Say what the head has printed")
    if not ask.only_print:
        _require_ray()
        if ask.address is not None:
            require_listener(ask.address)
        up.main(None, None, flags, env_file, as_json=ask.json)
        if verify.main(flags, env_file, as_json=ask.json, quick=True, load=True):
            raise ServerFailed("this machine's model does not pass, so it takes no tasks", fix="super-agent verify")
    facts = ModelFacts.ask(settings)
    _require_same(ask, facts)
    command, environment = _command(ask, facts), _environment(settings)
    if ask.json:
        told = {"command": command, "environment": environment, "expect": facts.expect}
        say_json({"version": 1, "step": "node", **told})
    else:
        say(f"{_typed(command, environment)}\n")
    if ask.only_print:
        return 0
    if ask.address is None and not ray_token_there():
        _ray(["get-auth-token", "--generate"], environment)
    elif not ray_token_there():
        raise UsageError("this machine has no token", fix="Copy the head's ~/.ray/auth_token here (mode 600)")
    with nothing_left_on_failure():  # Ray leaves its first processes running where a later one does not start
        _ray(command[1:], environment | (PATIENCE if ask.address is None else {}))
    if ask.address is None and not ask.json:
        _tell_the_others(ask, facts)
    return 0


def _require_same(ask: NodeArguments, facts: ModelFacts) -> None:
    if ask.expect is None:
        return
    digest, context, version = expected(ask.expect)
    if version not in ("", __version__):
        raise NodeDiffers(
            f"super-agent here is {__version__}, the cluster's is {version}",
            fix="Install the same super-agent on all machines",
        )
    if not ask.any_model and (digest, context) != (facts.digest, facts.context):
        raise NodeDiffers(
            f"the model here (digest:context) is {facts.digest}:{facts.context}, the cluster's is {digest}:{context}",
            fix="Make it the same with `super-agent up`, or say --any-model",
        )


def _command(ask: NodeArguments, facts: ModelFacts) -> list[str]:
    where = [f"--address={ask.address}"] if ask.address else ["--head", f"--port={ask.port}", "--include-dashboard=0"]
    labels = ",".join(f"{name}={value}" for name, value in facts.labels.items())
    resources = json.dumps({"ollama": facts.slots})
    return ["ray", "start", *where, f"--resources={resources}", f"--labels={labels}", *ask.more]


def _environment(settings: Settings) -> dict[str, str]:
    """What the node's tasks see beside the user's own variables."""
    return {
        "OLLAMA_BASE_URL": settings.base_url,
        "SUPER_AGENT_STATE_DIR": str(settings.state_dir),
        "RAY_AUTH_MODE": "token",
        **RAY_VARIABLES,
    }


def _typed(command: list[str], environment: dict[str, str]) -> str:
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in environment.items()), shlex.join(command)])


def _require_ray() -> None:
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise UsageError("a node needs Ray, which is not installed", fix="pip install 'super-agent[ray]'")


def _ray(arguments: list[str], environment: dict[str, str]) -> None:
    """Ray's own command, of this Python; raises `EngineFailed` with the last that it says."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", BEGIN, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=server_environment() | environment,
            timeout=START_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineFailed(f"ray {arguments[0]} did not end within {START_S:g} s", fix=AGAIN) from None
    if done.returncode:
        raise _failure(arguments[0], done.returncode, done.stdout.decode("utf-8", "replace"))


def _failure(step: str, code: int, text: str) -> EngineFailed:
    if is_refused(text):
        return EngineFailed("the cluster refuses this machine's token", fix="Copy the head's ~/.ray/auth_token here")
    if versions := mismatch(text):
        return EngineFailed(versions, fix=SAME)
    last = (text.strip().splitlines() or ["nothing"])[-1].strip()
    wrong = wrong_line(text).rstrip(".") or f"it ended with {code}, and said last: {last}"
    return EngineFailed(f"ray {step}: {wrong}", fix=AGAIN)


def _tell_the_others(ask: NodeArguments, facts: ModelFacts) -> None:
    complain(f"this is the head; `super-agent batch TASKS --ray 127.0.0.1:{ask.port}` here uses it, `ray stop` ends it")
    say(
        "On each other machine, with ~/.ray/auth_token of this one:\n"
        f"super-agent node --address THIS_MACHINE:{ask.port} --expect {facts.expect}\n"
    )
