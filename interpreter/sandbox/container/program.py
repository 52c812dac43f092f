"""Docker and Podman as programs: what they are started with, what they have, and what an earlier run left in them."""

import csv
import io
import os
import resource
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from interpreter.sandbox.bubblewrap.arguments import OPEN_FILES, SHM_BYTES, TMP_BYTES
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.system_files import HOSTNAME
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.settings import child_environment

AGENT = Path(__file__).with_name("agent.py")
LABEL = "super-agent.owner"
ASK_TIMEOUT_S = 30.0
"""For a question to the engine; measured 0.03 s with Podman, a Docker daemon that just started takes seconds."""
ERROR_PREFIXES = ("Error: ", "docker: ")
"""Podman's and Docker's."""
STARTED = 19
"""Field of /proc/PID/stat counted from the state, which follows the name in parentheses (proc(5))."""
PODMAN_PROCESSES = 32768
"""Podman's own default for RLIMIT_NPROC, which it may not set where the hard limit is lower (tried)."""
# What says which engine, which daemon and whose storage.
_PASSED_ON = (
    "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "TMPDIR",
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
    "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINER_HOST", "CONTAINER_CONNECTION",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """One container engine on this machine: `kind` is its name, `path` its program."""

    kind: str
    path: str

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the program to its end; raises `SandboxUnavailable` where it cannot be run or does not answer."""
        try:
            return subprocess.run(
                [self.path, *arguments],
                env=engine_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ASK_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxUnavailable(f"{self.path} does not answer: {error}", fix=_others(self.kind)) from None

    def remove(self, name: str) -> None:
        """End and remove a container; it may be gone already."""
        self.ask("rm", "--force", *(("--time", "0") if self.kind == "podman" else ()), name)


def engine_environment() -> dict[str, str]:
    """What the engine's own program sees; nothing of it reaches the container's code."""
    return child_environment(*_PASSED_ON)


def find_engine(kind: str) -> ContainerEngine:
    """Raises `SandboxUnavailable` where it is not installed."""
    path = shutil.which(kind)
    if path is None:
        raise SandboxUnavailable(f"{kind} is not installed, so there are no containers to use", fix=_others(kind))
    return ContainerEngine(kind, path)


def require_image(kind: str, image: str) -> ContainerEngine:
    """The engine, which has the image; removes what runs that were killed left. Raises `SandboxUnavailable`."""
    engine = find_engine(kind)
    if engine.ask("image", "inspect", "--format", "{{.Id}}", image).returncode != 0:
        about = engine.ask("info", "--format", "{{.ID}}" if kind == "docker" else "{{.Host.Kernel}}")
        if about.returncode != 0:
            raise SandboxUnavailable(f"{kind} does not work here: {reason_in(about.stderr)}", fix=_others(kind))
        raise SandboxUnavailable(f"{kind} has no image {image}", fix=f"Fetch it: {kind} pull {image}")
    remove_left_over(engine)
    return engine


def remove_left_over(engine: ContainerEngine) -> None:
    """Remove containers of ours whose process on this machine is gone."""
    for name in engine.ask("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}").stdout.split():
        # Podman's `ps` cannot show one label (4.3, tried).
        owner = engine.ask("container", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name).stdout
        if name.startswith("super-agent-") and _is_gone(owner.strip()):
            engine.remove(name)


def container_name() -> str:
    """A fresh one."""
    return f"super-agent-{secrets.token_hex(8)}"


def owner() -> str:
    """This process, so that it is told from later ones with its number: machine, pid, start in ticks since boot."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def _is_gone(owner: str) -> bool:
    host, _, process = owner.partition("/")
    pid, _, began = process.partition("/")
    if host != socket.gethostname() or not pid.isdecimal():
        return False  # another machine's, whose engine this is too
    return _started(int(pid)) != began


def _started(pid: int) -> str:
    """Not as a time of day, which moves when the clock is set; empty for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[STARTED]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def arguments(engine: ContainerEngine, policy: SandboxPolicy, name: str) -> list[str]:
    """The whole command line that starts the agent under the policy; raises `SandboxUnavailable`."""
    policy.reach.require_in_place()
    memory = str(policy.max_memory_bytes)
    argv = [engine.path, "run", "--interactive", "--rm", "--pull", "never", "--name", name]
    argv += ["--label", f"{LABEL}={owner()}", "--log-driver", "none", "--init=false"]
    argv += ["--hostname", HOSTNAME, "--add-host", f"{HOSTNAME}:127.0.0.1"]
    # The host's network, so that --network means the same in every sandbox: the internet and this machine's servers.
    argv += ["--network", "host" if policy.network else "none", "--ipc", "private"]
    argv += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    # Else SELinux hides the workspace; the other way, to relabel it, would change the user's files.
    argv += ["--security-opt", "label=disable"]
    argv += ["--pids-limit", str(policy.max_processes), "--memory", memory, "--memory-swap", memory]
    argv += ["--shm-size", str(SHM_BYTES), "--ulimit", f"nofile={OPEN_FILES}:{OPEN_FILES}", "--ulimit", "core=0:0"]
    if policy.workspace != Path("/tmp"):  # noqa: S108
        argv += ["--tmpfs", f"/tmp:rw,nosuid,nodev,exec,mode=1777,size={TMP_BYTES}"]  # noqa: S108
    argv += [*(_of_podman() if engine.kind == "podman" else []), *_user(engine)]
    for pinned in policy.reach.mounts():
        argv += _mount(pinned.path, readonly=not pinned.writable)
    argv += ["--workdir", str(policy.workspace), "--entrypoint", "python3"]
    return [*argv, policy.image, "-I", "-c", AGENT.read_text(encoding="utf-8")]


def expected_mounts(policy: SandboxPolicy) -> list[tuple[str, int, int]]:
    """Path, device and inode of all that is mounted: an engine knows only names, so the agent looks before it starts.

    A bind mount keeps both (tried on ext4, overlay and tmpfs, the latter two in `tests/live`).
    """
    return [(str(pinned.path), *pinned.identity) for pinned in policy.reach.mounts()]


def limits(policy: SandboxPolicy) -> dict[str, int]:
    """For the command alone, by the names of `resource`: the agent is not to die of the code's processor time."""
    return {
        "DATA": policy.max_memory_bytes,
        "FSIZE": policy.max_file_bytes,
        "NOFILE": OPEN_FILES,
        "CORE": 0,
        "CPU": policy.max_cpu_s,
    }


def reason_in(text: str) -> str:
    """What a program complained of: the line that it calls its error, as Docker ends with a hint, else the last one."""
    lines = text.strip().splitlines() or ["no reason given"]
    errors = [line for line in lines if line.startswith(ERROR_PREFIXES)]
    line = (errors or lines)[-1]
    for prefix in ERROR_PREFIXES:
        line = line.removeprefix(prefix)
    return line.rstrip(".?")


def _of_podman() -> list[str]:
    """Its defaults that reach further than Docker's: tmpfs without limits, proxies handed on, too high a limit."""
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    processes = PODMAN_PROCESSES if hard == resource.RLIM_INFINITY else min(hard, PODMAN_PROCESSES)
    return ["--read-only-tmpfs=false", "--http-proxy=false", "--ulimit", f"nproc={processes}:{processes}"]


def _user(engine: ContainerEngine) -> list[str]:
    """Whoever runs us, so that files in the workspace are theirs; without any capability also where that is root."""
    uid, gid = os.geteuid(), os.getegid()
    if engine.kind == "docker" and uid != 0 and _is_rootless(engine):
        uid = gid = 0  # root there is the user here
    mapped = ["--userns", "keep-id"] if engine.kind == "podman" and uid != 0 else []
    return [*mapped, "--user", f"{uid}:{gid}"]


@cache
def _is_rootless(engine: ContainerEngine) -> bool:
    return "rootless" in engine.ask("info", "--format", "{{.SecurityOptions}}").stdout


def _mount(path: Path, *, readonly: bool = False) -> Sequence[str]:
    """A bind mount at the same place; the engines read the value as a line of CSV."""
    line = io.StringIO()
    fields = ["type=bind", f"src={path}", f"dst={path}", *(["readonly"] if readonly else [])]
    csv.writer(line, lineterminator="").writerow(fields)
    return ["--mount", line.getvalue()]


def _others(kind: str) -> str:
    other = "podman" if kind == "docker" else "docker"
    start = "Install and start it" if kind == "docker" else "Install it"
    return f"{start}, or choose another with --sandbox bubblewrap or --sandbox {other}"
