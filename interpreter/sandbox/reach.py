"""What the paths of a policy mean, decided when it is made and before model-written code can repoint one of them."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interpreter.sandbox.git_protection import GitProtection, protect_git
from interpreter.sandbox.pinned import Pinned, pin
from super_agent.core.errors import SandboxUnavailable

PATHS_FIX = "Name existing folders below the home folder in SUPER_AGENT_SANDBOX_PATHS, separated by `:`"


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything of the file system that a sandbox shows besides the system itself, held open.

    `basis` is what it was decided for. A policy that is not contained has names only: nothing protects there.
    """

    basis: tuple[object, ...]
    program_folders: tuple[str, ...]
    """Where the programs of allowed toolchains lie."""
    virtual_env: str
    """The environment that the policy's Python belongs to, or empty."""
    workspace: Pinned | None = None
    git: GitProtection = field(default_factory=GitProtection)
    readable: tuple[Pinned, ...] = ()
    """In the policy's order: the Python's prefixes, then the user's paths; nothing of the workspace."""

    def mounts(self) -> tuple[Pinned, ...]:
        """In the order in which they are mounted, the later ones over the earlier ones."""
        own = (self.workspace,) if self.workspace is not None else ()
        return (*self.readable, *self.git.outside, *own, *self.git.inside)

    def require_in_place(self) -> None:
        """Raise `SandboxUnavailable` for what somebody outside replaced since: the sandbox would show the old one."""
        if self.workspace is not None and not self.workspace.path.is_dir():
            raise _no_folder(self.workspace.path)
        for pinned in self.mounts():
            if not pinned.is_in_place():
                raise SandboxUnavailable(
                    f"{pinned.path} was moved or replaced since the sandbox was settled, so nothing runs any more",
                    fix="Begin again, or go on with `super-agent resume`, which settles it anew",
                )


def decide(
    workspace: Path,
    python: Path,
    prefixes: tuple[Path, ...],
    readonly: tuple[Path, ...],
    *,
    contained: bool,
    before: Reach | None,
) -> Reach:
    """Open all that the paths mean; what is as `before` is not looked at again. Raises `SandboxUnavailable`."""
    basis = (workspace, python, prefixes, readonly, contained)
    if before is not None and before.basis == basis:
        return before
    programs = _program_folders(readonly)
    environment = str(python.parent.parent) if (python.parent.parent / "pyvenv.cfg").is_file() else ""
    if not contained:
        return Reach(basis, programs, environment)
    if before is not None and before.workspace is not None and before.workspace.path == workspace:
        root, git = before.workspace, before.git
    else:
        root = _opened_workspace(workspace)
        git = protect_git(root)
    shown = [path for path in (*prefixes, *_required(readonly)) if not is_inside(path, workspace)]
    return Reach(basis, programs, environment, root, git, tuple(_opened(path) for path in shown))


def is_inside(path: Path, folder: Path) -> bool:
    """By its name, which says where it is mounted."""
    return path == folder or folder in path.parents


def _opened_workspace(workspace: Path) -> Pinned:
    try:
        root = pin(workspace, writable=True)
    except OSError:
        root = None
    if root is None or not stat.S_ISDIR(root.mode):
        raise _no_folder(workspace)
    return root


def _no_folder(workspace: Path) -> SandboxUnavailable:
    return SandboxUnavailable(f"the workspace {workspace} is not a folder", fix="Name one that exists")


def _opened(path: Path) -> Pinned:
    try:
        return pin(path)
    except OSError as error:
        raise SandboxUnavailable(f"{path}, which the sandbox is to show, cannot be opened: {error.strerror}") from error


def _required(paths: Sequence[Path]) -> Sequence[Path]:
    """The paths; raises `SandboxUnavailable` for one that does not exist or that shows the home folder."""
    home = Path.home().resolve()
    for path in paths:
        resolved = path.resolve()
        if not path.is_absolute() or not path.exists():
            raise SandboxUnavailable(f"{path}, which the sandbox is to read, does not exist", fix=PATHS_FIX)
        if resolved in (Path("/"), home) or resolved in home.parents:
            raise SandboxUnavailable(f"{path}, which the sandbox is to read, holds the home folder", fix=PATHS_FIX)
    return paths


def _program_folders(paths: Sequence[Path]) -> tuple[str, ...]:
    """The folder itself, or its `bin`."""
    return tuple(str(path / "bin" if (path / "bin").is_dir() else path) for path in paths if os.path.isdir(path))
