"""The policy as bubblewrap arguments, and the question whether bubblewrap can protect here at all.

Measured against 40 kinds of hostile code: an allow-listed read-only root, nothing of the home folder, no network,
no capabilities, a seccomp filter, and the workspace as the only writable place on disk.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from interpreter.sandbox.bubblewrap.cgroup import scope_for
from interpreter.sandbox.bubblewrap.seccomp import filter_program
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.reach import Reach, is_inside
from interpreter.sandbox.system_files import GIT_CONFIG, HOSTNAME, hosts_file, private_below, public_etc
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.text import last_line

INNER_UID = 1000
"""A plain user inside; whoever runs us is mapped to it."""
HOME = "/tmp/home"  # noqa: S108 - inside the sandbox's own tmpfs
TMP_BYTES = 512 * 1024 * 1024
SHM_BYTES = 64 * 1024 * 1024
OPEN_FILES = 1024
ADDRESS_SPACE_BYTES = 64 * 1024**3
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
OWN_ARGUMENTS = (
    "--uid", str(INNER_UID), "--gid", str(INNER_UID), "--hostname", HOSTNAME, "--cap-drop", "ALL",
    "--die-with-parent", "--new-session", "--clearenv",
)  # fmt: skip
"""In this order they are of every sandbox of ours, so that one that was left is known by them."""
_PASSWD = f"user:x:{INNER_UID}:{INNER_UID}:user:{HOME}:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"
_GROUP = f"user:x:{INNER_UID}:\nnogroup:x:65534:\n"


@dataclass(frozen=True, slots=True)
class Confined:
    """A command line ready to start: `pass_fds` must be inherited by it and closed here after."""

    argv: tuple[str, ...]
    pass_fds: tuple[int, ...]
    environment: dict[str, str]

    def release(self) -> None:
        """Close what was opened for the start."""
        for fd in self.pass_fds:
            os.close(fd)


def confine(policy: SandboxPolicy, command: Sequence[str], *, status_fd: int | None = None) -> Confined:
    """The command under the policy. Raises `SandboxUnavailable`.

    bubblewrap reports its first process and the command's exit on `status_fd`, as JSON lines.
    """
    inner = environment_inside(policy)
    if not policy.contained:
        if not policy.workspace.is_dir():
            raise SandboxUnavailable(f"the workspace {policy.workspace} is not a folder", fix="Name one that exists")
        return Confined((*_limited(policy, command),), (), {**inner, "HOME": str(policy.workspace)})
    bwrap = require_bubblewrap()
    program = filter_program()
    policy.reach.require_in_place()
    fds: list[int] = []
    argv = [bwrap, *_namespaces(bwrap, policy.network), "--seccomp", str(_memory_file(program, fds))]
    if status_fd is not None:
        argv += ["--json-status-fd", str(status_fd)]
    for name, value in inner.items():
        argv += ["--setenv", name, value]
    argv += [*_system(policy, fds), *_mounted(bwrap, policy.reach, fds), "--remount-ro", "/dev", "--remount-ro", "/"]
    argv += ["--chdir", str(policy.workspace), "--", *_limited(policy, command)]
    # bwrap's own environment can be read inside through /proc/1/environ, so it gets none.
    scope = scope_for(policy)
    return Confined((*scope.argv, *argv), tuple(fds), dict(scope.environment))


def environment_inside(policy: SandboxPolicy) -> dict[str, str]:
    """The whole environment that sandboxed code sees; a Python without a path is found on an image's own."""
    python_bin = policy.python.parent
    first = [str(python_bin)] if policy.python.is_absolute() else []
    base = {
        "PATH": ":".join([*first, *policy.reach.program_folders, PATH]),
        "HOME": HOME,
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "USER": "user",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if policy.reach.virtual_env:
        base["VIRTUAL_ENV"] = policy.reach.virtual_env
    return {**base, **policy.environment}


def require_bubblewrap() -> str:
    """The path of a bubblewrap that works here; raises `SandboxUnavailable` with the reason and the remedy."""
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxUnavailable(
            "bubblewrap (bwrap) is not installed, so model-written code cannot be contained",
            fix="Install it (apt install bubblewrap), use --sandbox podman, or accept the risk with --sandbox none",
        )
    if problem := _probe(path):
        raise SandboxUnavailable(f"bubblewrap cannot make its sandbox here: {problem}", fix=_remedy())
    return path


@cache
def _probe(path: str) -> str:
    """Start it once for real, with the namespaces of the policy; what it says when that fails, else empty."""
    argv = [path, *_namespaces(path, network=False), "--ro-bind", "/usr", "/usr", *_links(), "--proc", "/proc"]
    return _said_by([*argv, "--", "/usr/bin/true"])


def _said_by(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, env={}, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return last_line(done.stderr, f"exit code {done.returncode}").removeprefix("bwrap: ")


def _remedy() -> str:
    """What to do where bubblewrap is there and cannot work, by what the kernel's switches say."""
    if _switch("kernel/apparmor_restrict_unprivileged_userns") == "1":
        first = "Install an AppArmor profile that allows `userns` for bwrap (needed on Ubuntu 24.04 and later)"
    elif _switch("kernel/unprivileged_userns_clone") == "0" or _switch("user/max_user_namespaces") == "0":
        first = "Allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"
    elif any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")):
        first = "This container forbids namespaces: allow them (docker run --security-opt seccomp=unconfined)"
    else:
        first = "Allow user namespaces"
    return f"{first}, use --sandbox podman or docker, or accept the risk with --sandbox none"


def _switch(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""  # this kernel has no such switch


@cache
def can_disable_userns(path: str) -> bool:
    """Missing before bubblewrap 0.8, and refused where /proc/sys is read-only; the seccomp filter covers it then."""
    argv = [path, "--unshare-user", "--disable-userns", "--ro-bind", "/usr", "/usr", *_links(), "--proc", "/proc"]
    return not _said_by([*argv, "--", "/usr/bin/true"])


@cache
def can_bind_descriptors(path: str) -> bool:
    """Since bubblewrap 0.10, and in what distributions mended before (CVE-2024-42472)."""
    try:
        done = subprocess.run([path, "--help"], env={}, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"--ro-bind-fd" in done.stdout + done.stderr


def _namespaces(bwrap: str, network: bool) -> list[str]:
    argv = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
    if not network:
        argv.append("--unshare-net")
    if can_disable_userns(bwrap):
        argv.append("--disable-userns")
    return [*argv, *OWN_ARGUMENTS]


def _links() -> list[str]:
    """`/bin`, `/lib` and their kin: links into /usr on merged systems, folders on others."""
    argv: list[str] = []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            argv += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            argv += ["--ro-bind", str(path), str(path)]
    return argv


def _system(policy: SandboxPolicy, fds: list[int]) -> list[str]:
    argv = ["--ro-bind", "/usr", "/usr", *_links()]
    for path, private in _etc(policy.network):
        argv += ["--ro-bind-try", str(path), str(path)]
        for each in private:
            argv += ["--perms", "0000", "--tmpfs", str(each)] if each.is_dir() else _hidden(each, fds)
    files = {"passwd": _PASSWD, "group": _GROUP, "gitconfig": GIT_CONFIG, "hosts": hosts_file(network=policy.network)}
    for name, text in files.items():
        argv += ["--ro-bind-data", str(_memory_file(text.encode(), fds)), f"/etc/{name}"]
    # Without the remount root could write most of /proc/sys.
    argv += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    argv += ["--size", str(SHM_BYTES), "--tmpfs", "/dev/shm", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]  # noqa: S108
    return [*argv, "--dir", HOME, "--dir", "/run", "--dir", "/var"]


@cache
def _etc(network: bool) -> list[tuple[Path, list[Path]]]:
    """What of /etc is shown, and what in it is not; looked up once, as it is most of a start's own time."""
    shown = public_etc(network=network)
    return [(path, [*private_below(path)] if path.is_dir() else []) for path in shown]


def _hidden(path: Path, fds: list[int]) -> list[str]:
    return ["--ro-bind-data", str(_memory_file(b"", fds)), str(path)]


def _mounted(bwrap: str, reach: Reach, fds: list[int]) -> list[str]:
    """By descriptor: bubblewrap ends with an error where a name has come to lead to something else meanwhile."""
    argv: list[str] = []
    for pinned in reach.mounts():
        if pinned in reach.readable and is_inside(pinned.path, Path("/usr")):
            continue
        option = "--bind" if pinned.writable else "--ro-bind"
        if can_bind_descriptors(bwrap):
            fds.append(os.dup(pinned.fd))
            argv += [f"{option}-fd", str(fds[-1]), str(pinned.path)]
        else:
            argv += [option, str(pinned.path), str(pinned.path)]
    return argv


def _limited(policy: SandboxPolicy, command: Sequence[str]) -> list[str]:
    """Set inside, so that the number of processes counts only the sandbox's.

    Memory is limited as data: runtimes such as Java's and Node's reserve far more address space than they use.
    """
    prlimit = shutil.which("prlimit", path=PATH)
    if prlimit is None:
        raise SandboxUnavailable("prlimit is not installed, so memory cannot be limited", fix="Install util-linux")
    limits = {
        "data": policy.max_memory_bytes,
        "as": max(ADDRESS_SPACE_BYTES, 4 * policy.max_memory_bytes),
        "fsize": policy.max_file_bytes,
        "nofile": OPEN_FILES,
        "core": 0,
        "cpu": policy.max_cpu_s,
    }
    if policy.contained:
        limits["nproc"] = policy.max_processes
    return [prlimit, *(f"--{name}={value}" for name, value in limits.items()), "--", *command]


def _memory_file(data: bytes, fds: list[int]) -> int:
    fd = os.memfd_create("sandbox", 0)
    fds.append(fd)
    try:
        os.write(fd, data)
    except OSError as error:
        raise SandboxUnavailable(
            f"a file in memory cannot be written: {error.strerror}", fix="Raise the limit on files (`ulimit -f`)"
        ) from error
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
