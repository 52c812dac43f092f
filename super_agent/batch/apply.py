"""`batch apply DIR ID`: a task's patch, shown and then applied to the user's own folder, whole or not at all."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from super_agent.batch.results import Attempt, final_attempts
from super_agent.core.errors import PathRefused, SuperAgentError, UsageError
from super_agent.core.files.workspace import Workspace
from super_agent.core.sanitize import harmless
from super_agent.core.settings import child_environment

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Above what a snapshot keeps, so above what a patch can hold."""


class PatchDoesNotApply(SuperAgentError):
    """The folder is not any more what the task began with; nothing was changed."""


def main(folder: Path, name: str, workspace: Path | None, *, yes: bool, as_json: bool) -> int:
    """Show and apply; returns the exit code. Raises `SuperAgentError`.

    With `as_json` one object, {"version": 1, "id", "workspace", "changed": [paths]}; it needs `yes`.
    """
    if as_json and not yes:
        raise UsageError("with --json nobody is asked", fix="Say --yes to apply it without asking")
    attempt = _attempt(folder, name)
    target = workspace or (Path(attempt.workspace) if attempt.workspace else None)
    if target is None:
        raise UsageError(f"the task {name} has no folder of yours to change", fix="Name one with --workspace")
    if not attempt.patch:
        _tell(f"{name} changed nothing", name, target, [], as_json=as_json)
        return 0
    patch = folder / attempt.patch
    try:
        text = patch.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{patch} cannot be read: {error.strerror}", fix="See whether it was moved away") from error
    if not as_json:
        sys.stdout.write(harmless(text))
    with Workspace(target) as opened:
        if not yes and not _confirmed(f"Apply this to {opened.root}? [y/N] "):
            sys.stdout.write("nothing was changed\n")
            return 1
        paths = apply_patch(opened, patch)
    back = f"git apply -R {patch}"
    said = f"applied to {target}: {', '.join(map(harmless, paths))} (`{back}` there takes it back)"
    _tell(said, name, target, paths, as_json=as_json)
    return 0


def _tell(text: str, name: str, target: Path, paths: list[str], *, as_json: bool) -> None:
    told = json.dumps({"version": 1, "id": name, "workspace": str(target), "changed": paths}) if as_json else text
    sys.stdout.write(f"{told}\n")


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


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether to apply this", fix="Say --yes to apply it without a question")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "s", "sim")


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
