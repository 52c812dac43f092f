"""Repositories of tasks: each fetched once into a bare one of ours, its files written at a commit, without history.

Without history on purpose: the commits after the one that is asked for hold the answer.
"""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from super_agent.core.errors import UsageError
from super_agent.core.settings import child_environment

FETCH_TIMEOUT_S = 3600.0
QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.bare=false")


class Repositories:
    """The bare repositories in one folder. `fetch` and `write` of one repository are not called at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, address: str) -> Path:
        """The bare copy of a repository, made where it is missing; raises `UsageError`, OSError.

        It goes over git's transport also where the repository is a folder: nothing is shared with it, nothing is
        written there, and upload-pack starts no hook and no program that the repository's configuration names.
        """
        bare = self._folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.git"
        if not bare.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as part:
                new = Path(part) / "new.git"
                own = child_environment("HOME", "SSH_AUTH_SOCK", "https_proxy", "HTTPS_PROXY")
                clone = ("clone", "--quiet", "--bare", "--no-local", "--template=", "--", address, os.fspath(new))
                _git(clone, {**own, "GIT_TERMINAL_PROMPT": "0"}, f"the repository {address}")
                new.rename(bare)
        return bare

    def write(self, address: str, commit: str | None, target: Path) -> None:
        """Write the files of a commit into the new folder `target`; raises `UsageError`, OSError."""
        bare = self.fetch(address)
        target.mkdir()
        environment = {
            **child_environment(),
            "GIT_DIR": os.fspath(bare),
            "GIT_WORK_TREE": os.fspath(target),
            "GIT_INDEX_FILE": os.fspath(target.with_name(f"{target.name}.index")),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
        }
        what = f"commit {commit or 'HEAD'} of {address}"
        _git((*QUIET, "read-tree", f"{commit or 'HEAD'}^{{commit}}"), environment, what)
        _git((*QUIET, "checkout-index", "--all", "--force"), environment, what)
        target.with_name(f"{target.name}.index").unlink(missing_ok=True)


def _git(arguments: tuple[str, ...], environment: dict[str, str], what: str) -> None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, "LC_ALL": "C"},
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("git is not installed, and tasks with `repo` need it", fix="Install git") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{what} was not fetched within {FETCH_TIMEOUT_S:g} s", fix="Clone it yourself") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"git exits with {done.returncode}"]
        raise UsageError(f"{what}: {lines[-1]}", fix="Correct `repo` and `commit`")
