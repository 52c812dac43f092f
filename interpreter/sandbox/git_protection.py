"""Which parts of a repository sandboxed code may read and not change, and why git does not work inside where it cannot.

Decided when the policy is made. What code writes into the workspace later, a repository of its own included, decides
nothing: every name in the workspace that is looked at here becomes a mount point, which code inside cannot move.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from interpreter.sandbox.pinned import Pinned, pin, pin_within
from super_agent.core.errors import SandboxUnavailable

MAX_LINK_BYTES = 8192
"""Of a `.git` file and its kin: two paths at most (PATH_MAX is 4096, limits.h)."""
MAX_CONFIG_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GitProtection:
    """`inside` is mounted over the workspace in its order, `outside` beside it, read-only; `note` says what fails."""

    inside: tuple[Pinned, ...] = ()
    outside: tuple[Pinned, ...] = ()
    note: str = ""


def protect_git(workspace: Pinned) -> GitProtection:
    """What protects the workspace's repository; raises `SandboxUnavailable` for a `.git` that cannot be protected."""
    try:
        [git] = pin_within(workspace, [".git"])
    except FileNotFoundError:
        return GitProtection(note=_repository_above(workspace.path))
    except OSError as error:
        raise SandboxUnavailable(f"{workspace.path}/.git cannot be opened: {error.strerror}") from error
    if stat.S_ISLNK(git.mode):
        raise _linked(workspace, git)
    # As a whole: protecting only hooks and config is bypassed by renaming .git.
    return _of_file(workspace, git) if stat.S_ISREG(git.mode) else GitProtection((git,))


def _of_file(workspace: Pinned, git: Pinned) -> GitProtection:
    """A worktree's or submodule's `.git` file, and the repository that it names."""
    root = workspace.path.resolve()
    folder = _named_folder(git, root)
    if folder is None:
        return GitProtection((git,), note=f"{git.path} names no repository, so git does not work inside the sandbox")
    if not os.path.isdir(folder):  # also where it may not be looked at
        gone = f"{git.path} names {folder}, which is not there: git does not work in this folder, inside or outside"
        return GitProtection((git,), note=gone)
    if root in folder.parents:
        try:
            steps = pin_within(workspace, folder.relative_to(root).parts)
        except OSError as error:
            raise SandboxUnavailable(f"{folder}, which {git.path} names, cannot be opened: {error}") from error
        return GitProtection((git, *steps))
    try:
        repository = _repository_of(root, folder)
        if repository is None or root in (repository, *repository.parents):
            reason = f"does not name {git.path} in turn"
        elif _is_too_wide(repository, root):
            reason = f"belongs to {repository}, which holds the workspace or the home folder"
        else:
            return GitProtection((git,), (pin(repository),))
    except (OSError, RuntimeError) as error:
        reason = f"cannot be opened ({error})"
    return GitProtection((git,), note=f"{git.path} names {folder}, which {reason}: git does not work inside")


def _named_folder(git: Pinned, root: Path) -> Path | None:
    try:
        text = git.read(MAX_LINK_BYTES).decode("utf-8", "surrogateescape")
        kind, _, target = text.partition(":")
        folder = (root / target.strip()).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    return folder if kind == "gitdir" and target.strip() and folder != root else None


def _repository_of(root: Path, folder: Path) -> Path | None:
    """The repository outside to which the workspace belongs by the repository's own word.

    The `.git` file may be model-written, so it alone opens nothing: the folder that it names, which no code in the
    sandbox could write, must name the workspace too (gitrepository-layout(5): `gitdir` and `core.worktree`).
    """
    if folder.parent.name == "worktrees" and _path_in(folder / "gitdir", folder) == root / ".git":
        repository = folder.parent.parent
    elif _worktree_set_in(folder) == root:
        repository = folder
    else:
        return None
    return repository if (repository / "HEAD").is_file() and (repository / "objects").is_dir() else None


def _path_in(file: Path, base: Path) -> Path | None:
    text = _text(file, MAX_LINK_BYTES).strip()
    if not text:
        return None
    path = base / text
    return path.parent.resolve() / path.name


def _worktree_set_in(folder: Path) -> Path | None:
    section = ""
    for line in _text(folder / "config", MAX_CONFIG_BYTES).splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key.startswith("["):
            section = key.lower()
        elif section == "[core]" and key.lower() == "worktree":
            return (folder / value.strip('"')).resolve()
    return None


def _text(file: Path, limit_bytes: int) -> str:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(fd, "rb") as opened:
        return opened.read(limit_bytes).decode("utf-8", "surrogateescape") if stat.S_ISREG(os.fstat(fd).st_mode) else ""


def _is_too_wide(repository: Path, root: Path) -> bool:
    home = Path.home().resolve()
    return any(held == repository or repository in held.parents for held in (root, home))


def _linked(workspace: Pinned, git: Pinned) -> SandboxUnavailable:
    target = os.readlink("", dir_fd=git.fd)  # of what was opened, whatever the name leads to by now
    root = workspace.path.resolve()
    folder = Path(os.path.normpath(root / target))
    fix = (
        f"Replace it by a file with the one line `gitdir: {target}`, which git reads alike"
        if root in folder.parents
        else "Replace it by the folder it points to"
    )
    return SandboxUnavailable(
        f"{git.path} is a symbolic link to {target}, which code could repoint and the sandbox cannot protect", fix=fix
    )


def _repository_above(workspace: Path) -> str:
    for folder in workspace.resolve().parents:
        if os.path.lexists(folder / ".git"):
            return f"the repository {folder} is not shown to the sandbox, as the workspace is only a part of it"
    return ""
