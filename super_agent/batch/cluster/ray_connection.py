"""Into a cluster, or one of this machine alone; whatever is wrong with it is one line before anything runs."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any, BinaryIO

from super_agent.batch.cluster.node_compatibility import ModelFacts
from super_agent.batch.cluster.ray_output import SAME, is_refused, mismatch
from super_agent.core.errors import ExitCode, SuperAgentError, UsageError
from super_agent.core.settings import Settings, server_environment, set_for_ray

LOCAL = "local"
"""In place of an address: a cluster of this machine's own, which ends with the batch."""
AUTO = "auto"
"""In place of an address: the cluster that this machine is a node of."""
HOST_PORT = re.compile(r"[A-Za-z0-9._-]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")
CONNECT_S = 5.0
PROBE_S = 60.0
"""Ray tries again and again, with a line of its own each time; a machine that a model keeps busy took 25 s."""


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
        own = {"include_dashboard": False, "labels": mine.labels, "resources": {"ollama": mine.slots}}
        _begin(ray, address="local", **own, **common)
        return ray
    if address != AUTO and not HOST_PORT.fullmatch(address):
        raise UsageError(f"--ray={address}: allowed are HOST:PORT and auto", fix="Say what `super-agent node` printed")
    if address != AUTO:
        require_listener(address)
    _probe(address)
    _begin(ray, address=address, **common)
    return ray


def _begin(ray: Any, **how: Any) -> None:
    """`ray.init`; raises `ClusterFailed`."""
    try:
        ray.init(**how)
    except Exception as error:  # Ray raises bare ones, as where a busy machine is not ready within its 30 s
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ClusterFailed(f"Ray does not start here: {why}", fix="Give the same command again") from error


def require_listener(address: str) -> None:
    """Raise `ClusterFailed` at once where nothing listens; Ray itself would try for long."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ClusterFailed(
            f"no Ray cluster can be joined at {address}: {why}", fix="See `super-agent node`, and run one there"
        ) from error


def _probe(address: str) -> None:
    """In a process of its own: what Ray's C++ part writes to stderr is no line for a user. Raises `ClusterFailed`."""
    text = _tried(address)
    last = next((line for line in reversed(text.splitlines()) if line.startswith("{")), "{}")
    found: dict[str, str] = json.loads(last)
    if found.get("joined"):
        return
    if is_refused(text):
        raise ClusterFailed(
            f"the cluster at {address} refuses this machine's token",
            fix="Copy the head's ~/.ray/auth_token here, or set RAY_AUTH_TOKEN",
        )
    if versions := mismatch(found.get("error", "")):
        raise ClusterFailed(f"{address}: {versions}", fix=SAME)
    words = [line.strip() for line in found.get("error", "").splitlines() if line.strip()]
    why = words[0] if words else f"no answer within {PROBE_S:g} s"
    raise ClusterFailed(
        f"no Ray cluster can be joined at {address}: {why}", fix="See `super-agent node`, and run one on this machine"
    )


def _tried(address: str) -> str:
    """What the process says until it ends, is refused, or its time is over."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "super_agent.batch.cluster.ray_connection", address],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=server_environment(),
        )
        until, text = time.monotonic() + PROBE_S, ""
        try:
            while process.poll() is None and time.monotonic() < until and not is_refused(text):
                time.sleep(0.1)
                text = _read(said)
        finally:
            process.kill()
            process.wait()
        return _read(said)


def _read(file: BinaryIO) -> str:
    return os.pread(file.fileno(), 1024 * 1024, 0).decode("utf-8", "replace")


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
