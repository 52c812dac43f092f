"""Tries to break out in the documented ways and says which attempts held; and what holds on this machine in words."""

import contextlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from interpreter.sandbox.bubblewrap.arguments import can_disable_userns, environment_inside, require_bubblewrap
from interpreter.sandbox.bubblewrap.cgroup import scope_for
from interpreter.sandbox.container_image import describe_container
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner

ATTEMPT_TIMEOUT_S = 10.0
MIB = 1024 * 1024
TEST_MEMORY_BYTES = 512 * MIB
"""For the attempts: reaching the real limit would take the machine's memory and seconds."""
# Each attempt prints REACHED when it succeeded and HELD when it was refused; anything else is no proof.
_FRAME = """
import ctypes, glob, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def succeeded(result):
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True
def linked(path):
    os.symlink(path, "link")
    return open("link").read()
def environment():
    text = "".join(open(path).read() for path in glob.glob("/proc/*/environ"))
    return {{entry.split("=")[0] for entry in text.split(chr(0)) if entry}} | set(os.environ)
def capabilities():
    [line] = [line for line in open("/proc/self/status") if line.startswith("CapEff")]
    return int(line.split()[1], 16)
def connected(kind, address):
    s = socket.socket(kind)
    s.settimeout(2)
    s.connect(address)
    return True
try:
    reached = {attempt}
except (OSError, MemoryError) as error:
    print("HELD", type(error).__name__, error)
else:
    print("REACHED" if reached else "HELD nothing there")
"""
_ATTEMPTS = {
    "read a file outside the workspace": "open({outside!r}).read()",
    "read it through a link in the workspace": "linked({outside!r})",
    "read it through /proc/1/root": "open('/proc/1/root' + {outside!r}).read()",
    "read the password hashes": "open('/etc/shadow').read()",
    "see the home folder": "set(os.listdir({home!r})) & {hidden!r}",
    "see the user's environment": "environment() - {environment!r}",
    "write a file outside the workspace": "open({outside!r} + '.new', 'w').write('x')",
    "write to the system's programs": "open('/usr/bin/planted', 'w').write('x')",
    "change a setting of the kernel": "open('/proc/sys/kernel/core_pattern', 'w').write('x')",
    "change the repository's hooks": "open('.git/hooks/planted', 'w').write('x')",
    "move the repository away": "os.rename('.git', 'moved') is None",
    "connect to a server on this machine": "connected(socket.AF_INET, ('127.0.0.1', {port}))",
    "look up a name": "socket.getaddrinfo('example.com', 80)",
    "send to the internet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
    "connect to an abstract socket": "connected(socket.AF_UNIX, chr(0) + {abstract!r})",
    "open a socket to the hypervisor": "socket.socket(40, socket.SOCK_STREAM)",
    "open a packet socket": "socket.socket(17, socket.SOCK_RAW)",
    "signal a process outside": "os.kill({pid}, 0) is None and os.readlink('/proc/{pid}/exe') == {exe!r}",
    "make a user namespace": "succeeded(libc.unshare(0x10000000))",
    "mount a file system": "succeeded(libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))",
    "trace a process": "succeeded(libc.ptrace(16, os.getppid(), 0, 0))",
    "use 64 GiB of memory": "bytearray(64 * 2**30)",
    "become root with its powers": "os.setuid(0) is None and capabilities()",
}
_NEEDS_NO_NETWORK = frozenset(
    {
        "connect to a server on this machine",
        "look up a name",
        "send to the internet",
        "connect to an abstract socket",
    }
)
_OF_SHELLS_AND_LIBRARIES = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE", "MPLBACKEND"})
"""Variables that programs inside set for themselves."""


@dataclass(frozen=True, slots=True)
class EscapeAttempt:
    """One way out that was tried; `detail` is what the sandboxed code saw."""

    name: str
    held: bool
    detail: str


def self_test(policy: SandboxPolicy) -> list[EscapeAttempt]:
    """Try every attempt in a throw-away workspace with the policy's other terms; raises `SandboxUnavailable`."""
    with _bait(policy) as bait:
        runner = PythonRunner(bait.policy)
        try:
            return [
                _tried(runner, name, attempt.format(**bait.values), bait)
                for name, attempt in _ATTEMPTS.items()
                if not (policy.network and name in _NEEDS_NO_NETWORK)
            ]
        finally:
            runner.close()


def describe(policy: SandboxPolicy) -> list[str]:
    """What model-written code can and cannot do under this policy on this machine, a sentence each."""
    if not policy.contained:
        return [
            "There is no sandbox (--sandbox none): code runs with all of your rights, and every promise is void.",
            f"Processes that a run leaves behind are ended, and memory is limited to {_size(policy.max_memory_bytes)}.",
        ]
    reach = describe_container(policy) if policy.engine is not None else _describe_bubblewrap(policy)
    kept = (
        "Memory and processes in all are held by the kernel (the container's cgroup); disk is best effort."
        if policy.engine is not None
        else "Memory and processes in all are held by the kernel (a systemd scope); processor and disk are best effort."
        if scope_for(policy).argv
        else "Total memory, processor and disk are best effort: looked at four times a second, not reserved "
        "(no systemd scope holds here)."
    )
    return [
        *reach,
        f"Limits: {_size(policy.max_memory_bytes)} of memory, {policy.max_processes} processes, files of "
        f"{_size(policy.max_file_bytes)}, {policy.max_cpu_s} s of processor time for a process, "
        f"{_size(policy.max_disk_growth_bytes)} written into the workspace, {_size(policy.min_free_disk_bytes)} of the "
        "disk left free.",
        kept,
        "Not covered: errors of the kernel itself, and files left in the workspace, which are to be read before use.",
    ]


def _describe_bubblewrap(policy: SandboxPolicy) -> list[str]:
    bwrap = require_bubblewrap()
    shown = ", ".join(str(path) for path in (*policy.python_prefixes, *policy.readonly_paths))
    network = (
        "It HAS the network, servers on this machine included."
        if policy.network
        else "It has no network: no internet, no servers or sockets of this machine."
    )
    nested = "cannot make" if can_disable_userns(bwrap) else "is kept by the system call filter from making"
    return [
        f"Code runs in bubblewrap ({bwrap}), as {'root made a plain user' if os.geteuid() == 0 else 'your user'}.",
        f"It can read and write {policy.workspace}; a `.git` there is read-only.",
        f"It can read the system's programs and {shown}.",
        "It sees nothing else of your home folder, no other file, and nothing of your environment.",
        network,
        f"It has no privileges, sees only its own processes, and {nested} namespaces of its own.",
    ]


def _tried(runner: PythonRunner, name: str, attempt: str, bait: "_Bait") -> EscapeAttempt:
    said = bytearray()
    outcome = runner.run(_FRAME.format(attempt=attempt), said.extend, ATTEMPT_TIMEOUT_S)
    if left := bait.left_outside():
        return EscapeAttempt(name, False, f"left {left[0]} outside")
    if outcome.kind == "died":
        return EscapeAttempt(name, True, outcome.detail)
    last = (said.decode("utf-8", "replace").strip().splitlines() or ["it said nothing, which proves nothing"])[-1]
    # Writing beside the workspace ends in the sandbox's own empty folders; what counts is that nothing came out.
    held = last.startswith("HELD") or name == "write a file outside the workspace"
    return EscapeAttempt(name, held, "nothing came out" if held and last == "REACHED" else last.removeprefix("HELD "))


@dataclass(frozen=True, slots=True)
class _Bait:
    """A folder with a workspace in it, and a secret beside that; `values` fill in the attempts."""

    folder: Path
    policy: SandboxPolicy
    values: dict[str, object]

    def left_outside(self) -> list[str]:
        """What has come out of the sandbox."""
        return sorted(path.name for path in self.folder.iterdir() if path.name not in ("workspace", "secret"))


@contextlib.contextmanager
def _bait(policy: SandboxPolicy) -> Iterator[_Bait]:
    """With servers that wait for a connection as long as it lasts."""
    with tempfile.TemporaryDirectory(prefix="sandbox-test-") as name, contextlib.ExitStack() as stack:
        folder = Path(name).resolve()
        (folder / "workspace" / ".git" / "hooks").mkdir(parents=True)
        (folder / "secret").write_text("secret")
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = f"sandbox-test-{secrets.token_hex(8)}"
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind("\0" + abstract)
        unix.listen()
        home = Path.home()
        shown = {path.relative_to(home).parts[0] for path in _shown(policy) if home in path.parents}
        values: dict[str, object] = {
            "outside": str(folder / "secret"),
            "home": str(home),
            "hidden": {path.name for path in home.glob("*") if path.name not in shown},
            "environment": {*environment_inside(policy), *_OF_SHELLS_AND_LIBRARIES},
            "port": server.getsockname()[1],
            "abstract": abstract,
            "pid": os.getpid(),
            "exe": os.readlink("/proc/self/exe"),
        }
        memory = min(policy.max_memory_bytes, TEST_MEMORY_BYTES)
        yield _Bait(folder, replace(policy, workspace=folder / "workspace", max_memory_bytes=memory), values)


def _shown(policy: SandboxPolicy) -> tuple[Path, ...]:
    return (*policy.python_prefixes, *policy.readonly_paths, policy.workspace)


def _size(count: int) -> str:
    return f"{count / 2**30:g} GiB" if count >= 2**30 else f"{count / MIB:g} MiB"
