"""One sandboxed process: started under the policy, read from, watched, ended with everything it started."""

import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from interpreter.sandbox.bubblewrap.arguments import Confined, confine
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.watchdog import Watchdog, all_processes, descendants
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.pipes import drain, wait_readable, widen

DRIBBLE_BYTES = 65536
GATHER_S = 0.005
"""Output that comes in pieces smaller than that gathers so long: a wake-up for each of a million costs 2 s."""
WATCH_EVERY_S = 0.25
BURST_EVERY_S = 0.02
"""For the one cheap look that shows a fork bomb; at 5,000 forks a second that is 100 processes."""
END_TIMEOUT_S = 5.0
"""For the kernel to take down a killed namespace; thousands of processes take most of a second."""
START_TIMEOUT_S = 20.0
MARK = "RUN_OF_SUPER_AGENT"
"""Environment variable by which processes of an uncontained run are found again when they left its tree.

Without the prefix of settings, of which an unknown one would end a super-agent that the check starts."""


class SandboxProcess:
    """A started command; see `start.Process`.

    Starting, watching and waiting happen in a thread of its own: the kernel ends a sandbox when the thread that
    started it ends (PR_SET_PDEATHSIG), and a caller's thread may well be gone before the sandbox is done with.
    """

    def __init__(
        self,
        policy: SandboxPolicy,
        argv: Sequence[str],
        *,
        request_fd: int = -1,
        answer_fd: int = -1,
    ) -> None:
        """Raises `SandboxUnavailable`. The two descriptors stay open inside; see `start.start` for `argv`."""
        self._policy = policy
        self._mark = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._watchdog = Watchdog(policy)
        self._inner: int | None = None
        self._main: int | None = None
        self._status = b""
        self._status_fd, status_write = os.pipe()
        self.output_fd, output_write = os.pipe()
        self.complaint = ""
        """What the watchdog ended it for; empty otherwise."""
        self._killed = False
        try:
            with _named(argv, request_fd, answer_fd) as (command, pass_fds):
                confined = confine(policy, command, status_fd=status_write)
                try:
                    self._process = self._spawned(confined, output_write, pass_fds, status_write)
                finally:
                    confined.release()
        except BaseException:
            os.close(self._status_fd)
            os.close(self.output_fd)
            raise
        finally:
            os.close(output_write)
            os.close(status_write)
        widen(self.output_fd)
        os.set_blocking(self.output_fd, False)
        self._find_inner()

    @property
    def pid(self) -> int:
        """Of the outermost process; its end is the end of all others."""
        return self._process.pid

    def exit_code(self) -> int | None:
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def wait(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def never_ran(self) -> bool:
        """Whether bubblewrap ended without having run the command, which only it can tell from a failed command."""
        if not self._policy.contained or self._killed or self.complaint or self.exit_code() is None:
            return False
        self._read_status(0)
        return b'"exit-code"' not in self._status

    def drain(self, on_output: Callable[[bytes], None]) -> int:
        return drain(self.output_fd, on_output)

    def settle(self) -> None:
        """The command is ready and has started nothing else yet: only then is it certain which process it became."""
        inside = [pid for pid in self._inside() if pid != self._inner]
        self._main = inside[0] if self._policy.contained and inside else self.pid

    def signal_others(self, number: int) -> None:
        """Send a signal to all processes inside but the first (which is bubblewrap's) and the command itself."""
        for pid in self._inside():
            if pid not in (self._main, self._inner):
                _send(pid, number)

    def kill(self) -> None:
        """End it and everything inside, and wait until that is so; idempotent, from any thread."""
        with self._lock:
            self._killed = self._killed or self.exit_code() is None
            if not self._policy.contained:
                self._end_uncontained()
            self._end_namespace()
            if self._process.poll() is None:
                _kill_group(self.pid)
            if self._inner is not None:
                wait_readable([self._inner_fd], END_TIMEOUT_S)
        self._thread.join(END_TIMEOUT_S)

    def close(self) -> None:
        self.kill()
        with self._lock:
            for fd in (self.output_fd, self._status_fd, self._inner_fd if self._inner is not None else -1):
                if fd >= 0:
                    os.close(fd)
            self.output_fd = self._status_fd = -1
            self._inner = None

    def _spawned(
        self, confined: Confined, output: int, pass_fds: Sequence[int], status: int
    ) -> "subprocess.Popen[bytes]":
        outcome: list[subprocess.Popen[bytes] | OSError] = []
        started = threading.Event()
        kept = (*confined.pass_fds, *pass_fds, *((status,) if self._policy.contained else ()))
        environment = confined.environment if self._policy.contained else {**confined.environment, MARK: self._mark}

        def live() -> None:
            try:
                process = subprocess.Popen(
                    confined.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    pass_fds=kept,
                    start_new_session=True,
                    cwd=self._policy.workspace,
                )
                outcome.append(process)
            except OSError as error:
                outcome.append(error)
                return
            finally:
                started.set()
            self._watch(process)

        self._thread = threading.Thread(target=live, name="sandbox", daemon=True)
        self._thread.start()
        started.wait()
        if not outcome or isinstance(outcome[0], OSError):
            reason = outcome[0] if outcome else "its arguments are malformed"
            raise SandboxUnavailable(f"{confined.argv[0]} cannot be started: {reason}")
        return outcome[0]

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        # Not Popen.wait with a timeout, which looks only every 50 ms.
        ended = os.pidfd_open(process.pid)
        try:
            while not self._wait_or_burst(ended):
                complaint = self._watchdog.complaint(process.pid, self._inner)
                if complaint and not self._killed:
                    self.complaint = complaint
                    with self._lock:
                        self._end_namespace()
                    _kill_group(process.pid)
        finally:
            os.close(ended)
        process.wait()

    def _wait_or_burst(self, ended: int) -> bool:
        """Whether the process has ended; False when it is time to look at the totals."""
        watch_at = time.monotonic() + WATCH_EVERY_S
        while not wait_readable([ended], BURST_EVERY_S):
            if time.monotonic() >= watch_at or self._watchdog.burst():
                return False
        return True

    def _find_inner(self) -> None:
        """Take hold of the namespace's first process, by which everything inside can be ended and waited for."""
        if not self._policy.contained:
            return
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"\n" not in self._status and time.monotonic() < deadline:
            if not self._read_status(deadline - time.monotonic()):
                return  # bubblewrap ended at once; whoever waits for the command sees that
        _, _, number = self._status.partition(b'"child-pid":')
        digits = number.lstrip().split(b",")[0].split(b"\n")[0].strip(b" }")
        try:
            self._inner_fd = os.pidfd_open(int(digits))
            self._inner = int(digits)
        except (ProcessLookupError, ValueError):
            self._inner = None  # it has ended already

    def _read_status(self, timeout_s: float) -> bool:
        if self._status_fd < 0 or not wait_readable([self._status_fd], timeout_s):
            return False
        data = os.read(self._status_fd, 4096)
        self._status += data
        return bool(data)

    def _end_namespace(self) -> None:
        """The end of a namespace's first process is the end of all others in it, and forking fails from then on."""
        if self._inner is None:
            return
        # Otherwise it waits for its turn among thousands of others to die; only root may and only root needs it, as the
        # kernel limits the processes of everybody else.
        with suppress(PermissionError, ProcessLookupError):
            os.sched_setscheduler(self._inner, os.SCHED_FIFO, os.sched_param(1))
        _send_by_fd(self._inner_fd)

    def _end_uncontained(self) -> None:
        """Without a namespace to end, kill one by one, until none is left that started another in the meantime."""
        deadline = time.monotonic() + END_TIMEOUT_S
        while (left := self._inside()) and time.monotonic() < deadline:
            for pid in left:
                _send(pid, signal.SIGKILL)
            time.sleep(0.005)

    def _inside(self) -> list[int]:
        """Everything below the outermost process; uncontained also what left its tree."""
        below = [process.pid for process in descendants(self.pid)]
        if self._policy.contained:
            return below
        mark = f"{MARK}={self._mark}".encode()
        return below + [
            process.pid
            for process in all_processes()
            if process.pid not in below and _has_environment(process.pid, mark)
        ]


@contextmanager
def _named(argv: Sequence[str], request_fd: int, answer_fd: int) -> Iterator[tuple[list[str], list[int]]]:
    """The command with the numbers of the descriptors that it inherits; a memory file only where it asks for one."""
    fds = {"@REQUEST": request_fd, "@ANSWER": answer_fd} if request_fd >= 0 else {}
    state_fd = os.memfd_create("state", os.MFD_CLOEXEC) if fds and any("@STATE" in word for word in argv) else -1
    if state_fd >= 0:
        fds["@STATE"] = state_fd
    try:
        yield [_filled(word, fds) for word in argv], list(fds.values())
    finally:
        if state_fd >= 0:
            os.close(state_fd)


def _filled(word: str, fds: Mapping[str, int]) -> str:
    for name, fd in fds.items():
        word = word.replace(name, str(fd))
    return word


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # it ended by itself, or its number is another's by now


def _send_by_fd(fd: int) -> None:
    try:
        signal.pidfd_send_signal(fd, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


def _has_environment(pid: int, entry: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return entry in file.read().split(b"\0")
    except OSError:
        return False  # another user's, or gone
