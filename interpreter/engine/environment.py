"""The two small environments of ours beside the main one, each made from its shipped lock on first use.

The engine's holds Open Interpreter; the sandbox's holds pytest, for workspaces without an environment of their own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs

from super_agent.core.errors import EngineFailed
from super_agent.core.locks import alone
from super_agent.core.sanitize import sanitize
from super_agent.core.settings import child_environment

ENGINE_LOCK = Path(__file__).parents[1] / "open_interpreter" / "requirements.txt"
SANDBOX_LOCK = Path(__file__).parents[1] / "sandbox" / "requirements.txt"
MAKE_TIMEOUT_S = 1800
"""A few MB of wheels over a slow line."""
NEEDED_BYTES = 64 * 1024 * 1024
"""Free disk for the larger of the two while it is unpacked; with less, that is the likely cause of a failure."""
VENV_FIX = "Install uv, or what this Python's venv lacks (on Debian and Ubuntu: apt install python3-venv)"
INDEX_FIX = "It needs the package index once: check the network"
FORM = 2
"""Counted up when environments are built in another way, so that older ones are made anew. 2: with bytecode."""
# What says how to reach a package index, for pip, for uv and for both; nothing that says where or what to install.
_PASSED_ON = (
    "HOME", "TMPDIR", "NETRC", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_TRUSTED_HOST",
    "UV_CACHE_DIR", "UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_HTTP_TIMEOUT",
    "UV_INDEX", "UV_INDEX_URL", "UV_INSECURE_HOST", "UV_LINK_MODE", "UV_NATIVE_TLS", "UV_NO_INDEX", "UV_OFFLINE",
)  # fmt: skip

SYSTEM_CERTIFICATES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
"""Of Debian, Fedora and SUSE; the same as in scripts/certificates.sh."""

Tell = Callable[[str], None]


def data_dir() -> Path:
    """Where the environments lie: the user's data folder."""
    return platformdirs.user_data_path("super-agent")


def ensure_engine_python(progress: Tell) -> Path:
    """The Python of Open Interpreter's environment; raises `EngineFailed` where it cannot be made."""
    return ensure_environment("engine", ENGINE_LOCK, progress)


def ensure_sandbox_python(progress: Tell) -> Path:
    """The Python for sandboxes whose workspace has none; raises `EngineFailed` where it cannot be made."""
    return ensure_environment("python", SANDBOX_LOCK, progress)


def ensure_environment(name: str, lock: Path, progress: Tell, folder: Path | None = None) -> Path:
    """Make the environment of `lock` where it is missing, and return its Python.

    Named by the lock's content and the Python version, so an upgrade makes a new one. Built beside and renamed, under
    a file lock, so it is never half made and never made twice.
    """
    parent = folder or data_dir()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(lock.read_bytes() + sys.base_prefix.encode() + bytes([FORM])).hexdigest()[:12]
    target = parent / f"{name}-py{version}-{key}"
    python = target / "bin" / "python"
    if python.exists():
        return python
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = f"another super-agent is making the {name} environment; waiting for it"
        with alone(parent / f"{name}.lock", lambda: progress(told)):
            if not python.exists():
                progress(f"making the {name} environment once, from {lock.parent.name}/{lock.name}")
                for abandoned in parent.glob(f".{name}-py*"):  # by one that was killed: the lock is ours
                    shutil.rmtree(abandoned, ignore_errors=True)
                _build(lock, target)
    except OSError as error:
        raise EngineFailed(f"{target} cannot be made: {error}", fix="Make room, or make the folder writable") from error
    return python


def _build(lock: Path, target: Path) -> None:
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        uv = shutil.which("uv") or _own_uv()
        if uv is not None:
            _build_with_uv(uv, lock, stage / "env")
        else:
            _build_with_pip(lock, stage / "env", target)
        if target.exists():  # one whose base Python was removed: its links lead nowhere
            os.rename(target, stage / "broken")
        os.rename(stage / "env", target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


# Both leave bytecode: in the sandbox the environment is read-only, and without it each pytest costs a second more.


def _build_with_uv(uv: str, lock: Path, env: Path) -> None:
    _run([uv, "venv", "--quiet", "--no-project", "--python", _base_python(), "--relocatable", str(env)], env, VENV_FIX)
    install = [uv, "pip", "install", "--quiet", "--python", str(env / "bin" / "python"), "--compile-bytecode"]
    _run([*install, "--no-deps", "--require-hashes", "-r", str(lock)], env, INDEX_FIX)


def _build_with_pip(lock: Path, env: Path, target: Path) -> None:
    _run([_base_python(), "-m", "venv", str(env)], env, VENV_FIX)
    install = [str(env / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*install, "--no-deps", "--require-hashes", "-r", str(lock)], env, INDEX_FIX)
    for script in (env / "bin").iterdir():  # they name the Python they were made with
        if script.is_file() and not script.is_symlink():
            script.write_bytes(script.read_bytes().replace(os.fsencode(env), os.fsencode(target)))


def _base_python() -> str:
    return getattr(sys, "_base_executable", sys.executable)


def _own_uv() -> str | None:
    """The uv that `make setup` fetched, where it did."""
    path = platformdirs.user_cache_path("super-agent") / "uv" / "bin" / "uv"
    return str(path) if os.access(path, os.X_OK) else None


def index_environment(system_certificates: Iterable[Path] = SYSTEM_CERTIFICATES) -> dict[str, str]:
    """The variables that a program needs to reach the package index the way that the user's pip or uv does.

    Where the user names no certificates, the system's are taken: they know a company's certificate authority too, and
    uv and pip by themselves trust only the list that they ship with.
    """
    environment = child_environment(*_PASSED_ON)
    if not environment.get("SSL_CERT_FILE"):
        found = next((path for path in system_certificates if path.is_file() and path.stat().st_size), None)
        if found is not None:
            environment["SSL_CERT_FILE"] = str(found)
    if environment.get("SSL_CERT_FILE"):
        environment.setdefault("PIP_CERT", environment["SSL_CERT_FILE"])
    if "UV_INDEX_URL" not in environment and "PIP_INDEX_URL" in environment:  # uv does not look at pip's
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    return environment


def _run(argv: list[str], env: Path, fix: str) -> None:
    environment = index_environment()
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=MAKE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"`{' '.join(argv[:3])} …` did not end within {MAKE_TIMEOUT_S} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        reason = " ".join(said[-2:]) if said else f"exit code {done.returncode}"
        if shutil.disk_usage(env.parent).free < NEEDED_BYTES:
            fix = f"Make room: {env.parent.parent} is on a disk with less than {NEEDED_BYTES // 2**20} MiB free"
        raise EngineFailed(f"the environment could not be made: {reason}", fix=fix)


def main() -> None:
    """Make both, as `make setup` does: `python -m interpreter.engine.environment`."""

    def tell(text: str) -> None:
        sys.stderr.write(f"super-agent: {sanitize(text)}\n")

    try:
        ensure_engine_python(tell)
        ensure_sandbox_python(tell)
    except EngineFailed as error:
        tell(str(error))
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
