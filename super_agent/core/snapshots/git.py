"""git as a store of objects: it never has a workspace as its work tree, its folder or its configuration.

A repository planted in a workspace can make `git add` run a program on the host (`core.fsmonitor`), so the workspace
is read by `core/files/workspace.py` alone and git sees what it hands over.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from super_agent.core.errors import SnapshotFailed
from super_agent.core.settings import child_environment
from super_agent.core.state import private_folder

CONFIG = {
    "core.bare": "true",
    "core.hooksPath": "/dev/null",
    "core.fsync": "all",  # a snapshot has to survive a power cut
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "core.quotePath": "false",
    "core.protectHFS": "false",  # names that only other systems' file systems confuse with .git
    "core.protectNTFS": "false",
    "core.compression": "1",
}


class Git:
    """One bare repository; every command of git goes through here."""

    def __init__(self, folder: Path, lock: int) -> None:
        """Open the repository, made where there is none; raises `SnapshotFailed`.

        Commands inherit the descriptor `lock`: it stays locked while one outlives a parent that was killed.
        """
        program = shutil.which("git")
        if program is None:
            raise SnapshotFailed(
                "git is not installed, and snapshots are kept by it",
                fix="Install git, or say --no-snapshots to go without undo",
            )
        self.folder = folder
        self._program = program
        self._lock = lock
        if not (folder / "HEAD").exists():
            private_folder(folder.parent, folder.name)
            self.run("init", "--quiet", "--bare", ".")
            (folder / "config").write_text(_config_text(CONFIG), encoding="utf-8")

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a command prints; raises `SnapshotFailed` with the last line of its complaint.

        One that a signal ended (the kernel's, for want of memory, say) is repeated once; each may be.
        """
        done = self._once(arguments, given)
        if done.returncode < 0:
            done = self._once(arguments, given)
        if done.returncode != 0:
            raise _failed(self.folder, _last_line(done.stderr) or f"git {arguments[0]} exits with {done.returncode}")
        return done.stdout

    def _once(self, arguments: tuple[str, ...], given: bytes) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self._program, *arguments],
                input=given,
                capture_output=True,
                cwd=self.folder,
                env=self._environment(),
                pass_fds=(self._lock,),
                check=False,
            )
        except OSError as error:
            raise _failed(self.folder, error.strerror or str(error)) from error

    def feed(self, *arguments: str, pieces: Iterable[bytes]) -> None:
        """Stream `pieces` into a command; raises `SnapshotFailed`."""
        process = subprocess.Popen(
            [self._program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self._environment(),
            pass_fds=(self._lock,),
        )
        if process.stdin is None or process.stderr is None:
            raise RuntimeError("a pipe that was asked for is not there")
        try:
            # It may have ended early; why is read below.
            with suppress(BrokenPipeError), process.stdin as stdin:
                for piece in pieces:
                    stdin.write(piece)
        except BaseException:
            process.kill()
            raise
        finally:
            complaint = process.stderr.read()
            process.stderr.close()
            code = process.wait()
        if code != 0:
            raise _failed(self.folder, _last_line(complaint) or f"git {arguments[0]} exits with {code}")

    def _environment(self) -> dict[str, str]:
        return {
            **child_environment(),
            "GIT_DIR": os.fspath(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": os.fspath(self.folder),
            "LC_ALL": "C",
        }


def _config_text(values: Mapping[str, str]) -> str:
    lines = ["[core]\n\trepositoryformatversion = 0\n"]
    for name, value in values.items():
        section, _, key = name.partition(".")
        lines.append(f"[{section}]\n\t{key} = {value}\n")
    return "".join(lines)


def _last_line(text: bytes) -> str:
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (fatal or lines or [""])[-1].strip()


def _failed(folder: Path, reason: str) -> SnapshotFailed:
    return SnapshotFailed(f"snapshots in {folder}: {reason}", fix="Make room, or say --no-snapshots to go without undo")
