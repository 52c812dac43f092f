"""`batch apply DIR ID`: a task's patch, shown and then applied to the user's own folder, whole or not at all."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.batches.attempts import Attempt, final_attempts
from super_agent.core.errors import PathRefused, SuperAgentError, UsageError
from super_agent.core.files.workspace import Workspace
from super_agent.core.settings import child_environment

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Above what a snapshot keeps, so above what a patch can hold."""


class PatchDoesNotApply(SuperAgentError):
    """The folder is not any more what the task began with; nothing was changed."""


@dataclass(frozen=True, slots=True)
class FoundPatch:
    """A task's patch and the folder that it changes; `patch` is None where the task changed nothing."""

    workspace: Path
    patch: Path | None
    text: str

    def apply(self) -> list[str]:
        """Apply it; the changed paths, sorted. Raises `PatchDoesNotApply`, and then nothing was changed."""
        if self.patch is None:
            return []
        with Workspace(self.workspace) as opened:
            return apply_patch(opened, self.patch)


def find_patch(folder: Path, name: str, workspace: Path | None) -> FoundPatch:
    """What the task `name` of the batch in `folder` changed, for the task's own folder or `workspace`.

    Raises `UsageError`.
    """
    attempt = _attempt(folder, name)
    target = workspace or (Path(attempt.workspace) if attempt.workspace else None)
    if target is None:
        raise UsageError(f"the task {name} has no folder of yours to change", fix="Name one with --workspace")
    if not attempt.patch:
        return FoundPatch(target, None, "")
    patch = folder / attempt.patch
    try:
        return FoundPatch(target, patch, patch.read_text("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"{patch} cannot be read: {error.strerror}", fix="See whether it was moved away") from error


def apply_patch(workspace: Workspace, patch: Path) -> list[str]:
    """Apply it to copies of the files it touches, then write those back; returns their paths, sorted.

    git sees the copies only: a repository's own configuration could make it start programs. Raises `PatchDoesNotApply`.
    """
    paths = _touched(patch)
    before = {path: entry for path in paths if (entry := _read(workspace, path)) is not None}
    with tempfile.TemporaryDirectory() as scratch:
        for path, (content, mode) in before.items():
            _put(Path(scratch) / path, content, mode)
        _git("apply", "--whitespace=nowarn", str(patch.absolute()), cwd=scratch)
        written: list[str] = []
        try:
            for path in paths:
                _write(workspace, path, _of(Path(scratch) / path))
                written.append(path)
        except (OSError, PathRefused) as error:
            for path in written:
                _write(workspace, path, before.get(path))
            raise PatchDoesNotApply(f"{patch}: {error}", fix="The files are as they were") from error
    return paths


def _attempt(folder: Path, name: str) -> Attempt:
    try:
        found = {attempt.id: attempt for attempt in final_attempts(folder / "results.jsonl")}
    except OSError as error:
        raise UsageError(f"{folder} holds no results: {error.strerror}", fix="Name a batch's folder") from error
    if name not in found:
        some = ", ".join(list(found)[:5])
        raise UsageError(f"{folder} has no result of {name!r}", fix=f"It has {some}" if some else "Run the batch first")
    return found[name]


def _touched(patch: Path) -> list[str]:
    """All paths, both of a renamed file."""
    forward = _git("apply", "--numstat", "-z", str(patch.absolute()), cwd="/")
    backward = _git("apply", "-R", "--numstat", "-z", str(patch.absolute()), cwd="/")
    found = {os.fsdecode(field.split(b"\t", 2)[2]) for field in (forward + backward).split(b"\0") if field}
    return sorted(found)


def _read(workspace: Workspace, path: str) -> tuple[bytes, int | None] | None:
    """Content and permissions; of a link where it points to, and None."""
    facts = workspace.facts().get(path)
    if facts is None:
        return None
    if facts[2] & 0o170000 == 0o120000:
        return workspace.read_link(path), None
    return workspace.read_entry(path, MAX_FILE_BYTES), facts[2] & 0o777


def _of(path: Path) -> tuple[bytes, int | None] | None:
    if path.is_symlink():
        return os.fsencode(os.readlink(path)), None
    return (path.read_bytes(), path.stat().st_mode & 0o777) if path.exists() else None


def _write(workspace: Workspace, path: str, entry: tuple[bytes, int | None] | None) -> None:
    if entry is None:
        workspace.remove_entry(path)
    elif entry[1] is None:
        workspace.put_link(path, entry[0])
    else:
        workspace.put_entry(path, entry[0], executable=bool(entry[1] & 0o100))


def _put(path: Path, content: bytes, mode: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode is None:
        path.symlink_to(os.fsdecode(content))
        return
    path.write_bytes(content)
    path.chmod(mode | 0o600)


def _git(*arguments: str, cwd: str) -> bytes:
    environment = {**child_environment(), "GIT_DIR": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**environment, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CEILING_DIRECTORIES": "/"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("git is not installed, and patches are applied by it", fix="Install git") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git says nothing"]
        raise PatchDoesNotApply(f"{arguments[-1]}: {lines[-1]}", fix="Nothing was changed; compare by hand")
    return done.stdout
