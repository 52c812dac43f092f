"""A container as the sandbox: whether it works here, which Python it has, and what holds in it in words."""

import os
import shlex
from dataclasses import replace
from pathlib import Path

from interpreter.sandbox.command import SHELL, run_command
from interpreter.sandbox.container.program import reason_in, require_image
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.errors import SandboxUnavailable

IMAGE_PYTHON = Path("python3")
"""Without a path: where it lies is the image's business."""
PROBE_TIMEOUT_S = 60.0
NO_SUCH_PROGRAM = 127
"""Said by the agent, as a shell would."""


def ready_container(policy: SandboxPolicy) -> SandboxPolicy:
    """The policy with its Python: the workspace's `.venv` where that can be run in the image, else the image's own.

    Starts a container once for real. Raises `SandboxUnavailable`.
    """
    if policy.engine is None:
        raise ValueError("the policy names no engine")
    require_image(policy.engine, policy.image)
    own = _own_python(policy.workspace)
    policy = replace(policy, python=IMAGE_PYTHON)
    # Its link may lead to a Python that is in the image or to one that is not: only a try can tell.
    said: list[bytes] = []
    outcome = run_command(policy, f"{shlex.quote(str(own))} -c '' || exit 1", said.append, PROBE_TIMEOUT_S)
    if outcome.exit_code == NO_SUCH_PROGRAM:
        reason = reason_in(b"".join(said).decode("utf-8", "replace"))
        raise SandboxUnavailable(
            f"{SHELL} cannot be run in a container of {policy.image}: {reason}",
            fix="Name one with bash and Python 3.8 or later in SUPER_AGENT_SANDBOX_IMAGE",
        )
    return replace(policy, python=own) if outcome.exit_code == 0 else policy


def unused_environment(policy: SandboxPolicy) -> str:
    """Why the workspace's own `.venv` is not used in the container, or empty."""
    own = _own_python(policy.workspace)
    if policy.engine is None or policy.python != IMAGE_PYTHON or not os.path.lexists(own):
        return ""
    return f"{own.parent.parent} belongs to a Python that the image {policy.image} does not have, so it is not used"


def describe_container(policy: SandboxPolicy) -> list[str]:
    """What the code can reach, a sentence each."""
    root = " root, without any of its capabilities" if os.geteuid() == 0 else " your user"
    python = f"the image's {policy.python}" if policy.python == IMAGE_PYTHON else str(policy.python)
    shown = "".join(f", {path}" for path in policy.readonly_paths)
    unused = unused_environment(policy)
    return [
        f"Code runs in a container of {policy.engine} made from {policy.image}, as{root}.",
        f"It can read and write {policy.workspace}; a `.git` there is read-only.",
        f"It can read what is in the image{shown}; its Python is {python}.",
        *([f"{unused}."] if unused else []),
        "It sees nothing of your home folder, no other file, and nothing of your environment.",
        "It HAS this machine's network, servers on this machine included."
        if policy.network
        else "It has no network: no internet, no servers or sockets of this machine.",
        "It has no capabilities, sees only its own processes, and the system call filter keeps it from new namespaces.",
    ]


def _own_python(workspace: Path) -> Path:
    return workspace / ".venv" / "bin" / "python"
