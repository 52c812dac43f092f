"""What can be seen of a local server from outside: its runner processes, and who is connected to it.

Physical evidence: the same runner pid and start time before and after prove that nothing was reloaded, and one runner
for each blob that nothing is in memory twice. Where it cannot be seen, that is said, never guessed.
"""

import itertools
import socket
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import psutil

from super_agent.core.ollama.server import is_local

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, never bound
"""What a server that listens everywhere is bound to, and what a client that is told so reaches."""


@dataclass(frozen=True, slots=True)
class RunnerProcess:
    """A llama-server process; `started` is seconds since the epoch, `context` the tokens of a slot (0: not told)."""

    pid: int
    started: float
    context: int = 0


@dataclass(frozen=True, slots=True)
class TcpConnection:
    """An open connection to the server; `pid` is None where the other end's process cannot be seen."""

    pid: int | None
    program: str
    address: str


def runners(base_url: str, weights: str) -> tuple[RunnerProcess, ...] | None:
    """The processes that hold this blob for this server; None where they cannot be observed.

    Command lines and start times can be read across users, but not of another machine's processes.
    """
    if not is_local(base_url) or not weights:
        return None
    server = server_pid(base_url)
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "create_time"]):
        line = process.info["cmdline"] or []
        if any(weights in argument for argument in line) and (server is None or server in _ancestors(process)):
            found.append(RunnerProcess(process.info["pid"], process.info["create_time"], _context(line)))
    return tuple(sorted(found, key=lambda runner: runner.pid)) or None


def is_alive(runner: RunnerProcess) -> bool:
    """Whether this very process still runs: pids are used again, start times are not."""
    try:
        return psutil.Process(runner.pid).create_time() == runner.started
    except psutil.NoSuchProcess:
        return False


def is_stopped(pid: int) -> bool:
    """Whether a process is suspended (Ctrl-Z), so that nothing goes on in it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def slots(base_url: str, weights: str) -> int | None:
    """How many requests a local server works on at once: its runner's `-np`, else its OLLAMA_NUM_PARALLEL."""
    for runner in runners(base_url, weights) or ():
        try:
            line = psutil.Process(runner.pid).cmdline()
        except psutil.Error:
            continue
        number = next((value for option, value in pairwise(line) if option in ("-np", "--parallel")), "")
        if number.isdecimal() and int(number) > 0:
            return int(number)
    number = (server_variables(base_url) or {}).get("OLLAMA_NUM_PARALLEL", "")
    return int(number) if number.isdecimal() and int(number) > 0 else None


def server_pid(base_url: str) -> int | None:
    """The process that a client of this URL reaches, where it is this machine's and can be seen."""
    if not is_local(base_url):
        return None
    port = port_of(base_url)
    listening = {s.here[0]: s.pid for s in _sockets() if s.status == psutil.CONN_LISTEN and s.here[1] == port}
    for address in _addresses(base_url):
        # One that listens on this address alone comes before one that listens on all; `::` takes IPv4 too.
        for bound in (address, "::" if ":" in address else "0.0.0.0", "::"):  # noqa: S104
            if bound in listening:
                return listening[bound]
    return None


def same_server(one: str, other: str) -> bool:
    """Whether two URLs lead to one server: the same text, or two spellings of one address of this machine."""
    if one == other:
        return True
    if urlsplit(one)._replace(netloc="") != urlsplit(other)._replace(netloc="") or port_of(one) != port_of(other):
        return False
    if not (is_local(one) and is_local(other)):
        return False
    pid = server_pid(one)
    if pid is not None or server_pid(other) is not None:
        return pid == server_pid(other)
    return _addresses(one)[:1] == _addresses(other)[:1]


def connections(base_url: str, ours: Collection[int]) -> tuple[TcpConnection, ...] | None:
    """Who is connected to a local server now, without the processes `ours`; None where it cannot be observed."""
    if not is_local(base_url):
        return None
    port, server = port_of(base_url), server_pid(base_url)
    established = [s for s in _sockets() if s.status == psutil.CONN_ESTABLISHED]
    owners = {s.here: s.pid for s in established if s.there[1] == port}
    peers = [(s.there, owners.get(s.there)) for s in established if s.here[1] == port and s.pid in (None, server)]
    return tuple(
        TcpConnection(pid, _name(pid), f"{peer[0]}:{peer[1]}")
        for peer, pid in peers
        if pid is None or (pid not in ours and pid != server)
    )


def server_variables(base_url: str) -> dict[str, str] | None:
    """The server's own OLLAMA_ variables; None where they cannot be read, or a proxy answers in its place."""
    pid = server_pid(base_url)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        environment = process.environ() if "ollama" in process.name() else None
    except (psutil.Error, OSError):
        return None
    if environment is None:
        return None
    return {name: value for name, value in environment.items() if name.startswith("OLLAMA_")}


def port_of(base_url: str) -> int:
    """The port of a URL, also where it is the scheme's own."""
    parts = urlsplit(base_url)
    return parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class _Socket:
    """Both ends as (address, port); `there` is ("", 0) for a listening one."""

    status: str
    here: tuple[str, int]
    there: tuple[str, int]
    pid: int | None


def _sockets() -> list[_Socket]:
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, OSError):
        return []
    return [_Socket(c.status, _end(c.laddr), _end(c.raddr), c.pid) for c in found]


def _end(address: tuple[str, int] | tuple[()]) -> tuple[str, int]:
    """A server on `::` sees an IPv4 client as `::ffff:127.0.0.1`, which the client itself writes without that."""
    return (address[0].removeprefix("::ffff:"), address[1]) if address else ("", 0)


def _addresses(base_url: str) -> list[str]:
    """What a local URL's host stands for, in the order in which a client tries them."""
    host = urlsplit(base_url).hostname or ""
    try:
        found = socket.getaddrinfo(ANY_ADDRESS.get(host, host), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found]


def _ancestors(process: psutil.Process) -> set[int]:
    try:
        return {parent.pid for parent in process.parents()}
    except psutil.NoSuchProcess:
        return set()


def _context(line: list[str]) -> int:
    """`-c` is the context of all slots together, `-np` how many they are (seen on 0.32.15)."""
    told = {name: int(value) for name, value in itertools.pairwise(line) if name in ("-c", "-np") and value.isdecimal()}
    return told.get("-c", 0) // max(1, told.get("-np", 1))


def _name(pid: int | None) -> str:
    if pid is None:
        return "unknown program"
    try:
        return psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return "ended program"
