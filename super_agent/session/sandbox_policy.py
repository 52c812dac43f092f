"""What code of a run may do: the policy, from the settings and what works here."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from interpreter.engine.environment import ensure_sandbox_python
from interpreter.sandbox.bubblewrap.arguments import require_bubblewrap
from interpreter.sandbox.bubblewrap.orphans import end_orphans
from interpreter.sandbox.command import find_program
from interpreter.sandbox.container_image import IMAGE_PYTHON, ready_container
from interpreter.sandbox.programs import folders_for, program_of
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.python_choice import choose_python
from super_agent.core.errors import CheckNotFound, SettingInvalid
from super_agent.core.settings import Settings

MIB = 1024 * 1024


def settle_sandbox(
    settings: Settings, workspace: Path, python: Path | None, tell: Callable[[str], None]
) -> SandboxPolicy:
    """What code may do, in a sandbox that works here; `python` is the user's --python.

    Raises `SandboxUnavailable`, `SettingInvalid`.
    """
    if settings.sandbox in ("docker", "podman"):
        if python is not None:
            raise SettingInvalid(
                f"--python {python} cannot be used with --sandbox {settings.sandbox}, where Python is the image's",
                fix="Name an image that has the one you need in SUPER_AGENT_SANDBOX_IMAGE",
            )
        return ready_container(policy_from(settings, workspace, IMAGE_PYTHON))
    if settings.sandbox == "bubblewrap":
        require_bubblewrap()
        end_orphans()
    return policy_from(settings, workspace, choose_python(workspace, lambda: ensure_sandbox_python(tell), python))


def policy_from(settings: Settings, workspace: Path, python: Path) -> SandboxPolicy:
    """What code may do under the user's settings; raises `SandboxUnavailable`."""
    return SandboxPolicy(
        workspace=workspace,
        python=python,
        readonly_paths=settings.sandbox_paths,
        network=settings.network,
        contained=settings.sandbox != "none",
        engine=settings.sandbox if settings.sandbox in ("docker", "podman") else None,
        image=settings.sandbox_image,
        max_memory_bytes=settings.sandbox_memory_mb * MIB,
        max_processes=settings.sandbox_processes,
        max_disk_growth_bytes=settings.sandbox_disk_mb * MIB,
        min_free_disk_bytes=settings.sandbox_free_disk_mb * MIB,
    )


def require_program(policy: SandboxPolicy, command: str) -> None:
    """Raise `CheckNotFound` where the check's program does not exist inside the sandbox."""
    found = find_program(policy, command)
    if found == "missing":
        fix = "Correct --check"
        if program_of(command).startswith("~"):
            fix = "Write its whole path: the sandbox has a home folder of its own"
        raise CheckNotFound(f"the check `{command}` names a program that does not exist", fix=fix)
    if found == "hidden":
        word = program_of(command)
        program = shutil.which(word) or word
        if policy.engine is not None:
            raise CheckNotFound(
                f"the program of the check `{command}` is {program}, which is not in the image {policy.image}",
                fix="Name an image that has it in SUPER_AGENT_SANDBOX_IMAGE",
            )
        folders = folders_for(word, policy.python_prefixes, Path.home())
        allowed = ":".join(map(str, (*policy.readonly_paths, *folders)))
        raise CheckNotFound(
            f"the program of the check `{command}` is {program}, which the sandbox does not show",
            fix=f"Allow it: SUPER_AGENT_SANDBOX_PATHS={shlex.quote(allowed)}",
        )
