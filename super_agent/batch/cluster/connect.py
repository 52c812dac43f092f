"""Into a cluster, or one of this machine alone; whatever is wrong with it is one line before anything runs."""

import json
import re
import subprocess
import sys
from typing import Any

from super_agent.batch.cluster.facts import ModelFacts
from super_agent.core.errors import ExitCode, SuperAgentError, UsageError
from super_agent.core.settings import Settings, server_environment, set_for_ray

LOCAL = "local"
"""In place of an address: a cluster of this machine's own, which ends with the batch."""
ADDRESS = re.compile(r"auto|[A-Za-z0-9._-]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")
PROBE_S = 20.0
"""Ray tries an address again and again for a minute, with a line of its own each time."""


class ClusterFailed(SuperAgentError):
    """The cluster cannot be joined, or none of its nodes can be used."""

    exit_code = ExitCode.EXECUTOR


def join(address: str, mine: ModelFacts, settings: Settings) -> Any:
    """Join; returns the module `ray`. Raises `UsageError`, `ClusterFailed`."""
    set_for_ray(settings if address == LOCAL else None)
    try:
        import ray
    except ImportError:
        raise UsageError(
            "--ray needs Ray, which is not installed", fix="pip install 'super-agent[ray]', or requirements/ray.txt"
        ) from None
    common = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        ray.init(
            address="local", include_dashboard=False, labels=mine.labels, resources={"ollama": mine.slots}, **common
        )
        return ray
    if not ADDRESS.fullmatch(address):
        raise UsageError(f"--ray={address}: allowed are HOST:PORT and auto", fix="Say what `super-agent node` printed")
    _probe(address)
    ray.init(address=address, **common)
    return ray


def _probe(address: str) -> None:
    """In a process of its own: what Ray's C++ part writes to stderr is no line for a user. Raises `ClusterFailed`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "super_agent.batch.cluster.connect", address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=server_environment(),
            text=True,
            timeout=PROBE_S,
            check=False,
        )
        out, err = done.stdout, done.stderr
    except subprocess.TimeoutExpired as ended:
        out, err = "", (ended.stderr or b"").decode("utf-8", "replace")
    said = out.strip().splitlines()[-1:] or ["{}"]
    found: dict[str, str] = json.loads(said[0]) if said[0].startswith("{") else {}
    if found.get("joined"):
        return
    text = found.get("error", "") + err
    if "AuthToken" in text or "Unauthenticated" in text or "AuthenticationError" in text:
        raise ClusterFailed(
            f"the cluster at {address} refuses this machine's token",
            fix="Copy the head's ~/.ray/auth_token here, or set RAY_AUTH_TOKEN",
        )
    if "ersion mismatch" in text:
        words = " ".join(line.strip() for line in found["error"].splitlines() if line.strip())
        raise ClusterFailed(f"{address}: {words}", fix="Install the same Ray and Python on all nodes")
    why = (found.get("error", "").strip().splitlines() or [f"no answer within {PROBE_S:g} s"])[0]
    raise ClusterFailed(
        f"no Ray cluster can be joined at {address}: {why}", fix="See `super-agent node`, and run one on this machine"
    )


def _probed(address: str) -> dict[str, str]:
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (RuntimeError, ConnectionError, ValueError, OSError, ray.exceptions.RayError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"joined": "yes"}


if __name__ == "__main__":
    set_for_ray()
    sys.stdout.write(json.dumps(_probed(sys.argv[1])) + "\n")
