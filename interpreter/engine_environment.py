"""The two small environments of ours beside the main one, each made from its shipped lock on first use.

The engine's holds Open Interpreter; the sandbox's holds pytest, for workspaces without an environment of their own.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from super_agent.core.errors import EngineFailed
from super_agent.core.settings import child_environment

ENGINE_LOCK = Path(__file__).parent / "open_interpreter" / "requirements.txt"
SANDBOX_LOCK = Path(__file__).parent / "sandbox" / "requirements.txt"
MAKE_TIMEOUT_S = 1800
"""94 MB of wheels over a slow line."""
_PASSED_ON = (
    "HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_CERT", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
    "UV_CACHE_DIR", "XDG_CACHE_HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip

Progress = Callable[[str], None]


def data_dir() -> Path:
    """Where the environments lie: the user's data folder."""
    return platformdirs.user_data_path("super-agent")


def ensure_engine_python(progress: Progress, folder: Path | None = None) -> Path:
    """The Python of Open Interpreter's environment; raises `EngineFailed` where it cannot be made."""
    return ensure_environment("engine", ENGINE_LOCK, progress, folder)


def ensure_sandbox_python(progress: Progress, folder: Path | None = None) -> Path:
    """The Python for sandboxes whose workspace has none; raises `EngineFailed` where it cannot be made."""
    return ensure_environment("python", SANDBOX_LOCK, progress, folder)


def ensure_environment(name: str, lock: Path, progress: Progress, folder: Path | None = None) -> Path:
    """Make the environment of `lock` where it is missing, and return its Python.

    Named by the lock's content and the Python version, so an upgrade makes a new one. Built beside and renamed, under
    a file lock, so it is never half made and never made twice.
    """
    parent = folder or data_dir()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(lock.read_bytes() + sys.base_prefix.encode()).hexdigest()[:12]
    target = parent / f"{name}-py{version}-{key}"
    python = target / "bin" / "python"
    if python.exists():
        return python
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (parent / f"{name}.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not python.exists():
                progress(f"making the {name} environment once, from {lock.parent.name}/{lock.name}")
                _build(lock, target)
    except OSError as error:
        raise EngineFailed(f"{target} cannot be made: {error}", fix="Make room, or make the folder writable") from error
    return python


def _build(lock: Path, target: Path) -> None:
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        uv = shutil.which("uv") or _own_uv()
        base = getattr(sys, "_base_executable", sys.executable)
        if uv is not None:
            _run([uv, "venv", "--quiet", "--no-project", "--python", base, "--relocatable", str(stage / "env")])
            python = str(stage / "env" / "bin" / "python")
            _run(
                [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--require-hashes", "-r", str(lock)]
            )
        else:
            _run([base, "-m", "venv", str(stage / "env")])
            pip = [str(stage / "env" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
            _run([*pip, "--require-hashes", "-r", str(lock)])
        if target.exists():  # one whose base Python was removed: its links lead nowhere
            os.rename(target, stage / "broken")
        os.rename(stage / "env", target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _own_uv() -> str | None:
    """The uv that `make setup` fetched, where it did."""
    path = platformdirs.user_cache_path("super-agent") / "uv" / "bin" / "uv"
    return str(path) if os.access(path, os.X_OK) else None


def _run(argv: list[str]) -> None:
    try:
        done = subprocess.run(
            argv, env=child_environment(*_PASSED_ON), capture_output=True, timeout=MAKE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"`{' '.join(argv[:3])} …` did not end within {MAKE_TIMEOUT_S} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        reason = " ".join(said[-2:]) if said else f"exit code {done.returncode}"
        raise EngineFailed(
            f"the environment could not be made: {reason}", fix="It needs the package index once: check the network"
        )


def main() -> None:
    """Make both, as `make setup` does: `python -m interpreter.engine_environment`."""

    def tell(text: str) -> None:
        sys.stderr.write(f"super-agent: {text}\n")

    try:
        ensure_engine_python(tell)
        ensure_sandbox_python(tell)
    except EngineFailed as error:
        tell(str(error))
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
