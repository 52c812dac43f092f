"""One command in a container: an agent of ours is its first process, and frames over its stdin and stdout drive it.

To its user it is what a `SandboxProcess` is: two threads turn frames into ordinary pipes and back.
"""

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from interpreter.sandbox.bubblewrap.arguments import environment_inside
from interpreter.sandbox.bubblewrap.seccomp import filter_program
from interpreter.sandbox.container.frames import FrameBroken, FrameReader, frames
from interpreter.sandbox.container.program import (
    arguments,
    container_name,
    engine_environment,
    expected_mounts,
    find_engine,
    limits,
    reason_in,
)
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.system_files import GIT_CONFIG
from interpreter.sandbox.watchdog import Watchdog
from super_agent.core.errors import SandboxUnavailable
from super_agent.core.pipes import READ_BYTES, drain, remaining, wait_readable, wait_writable, widen

START_TIMEOUT_S = 60.0
"""Measured 0.4 s; a Docker daemon under load, or a first start from a slow disk, takes tens of seconds."""
END_TIMEOUT_S = 3.0
"""For the engine to be done after the agent has ended, before the container is removed by force; measured 0.1 s."""
POLL_EVERY_S = 0.05
"""How late a thread that waits for a full pipe sees that all is over."""
WATCH_EVERY_S = 0.25
MAX_REASON_BYTES = 4096
NOWHERE = "/proc"
"""Where the engine's program starts: when memory runs out, Podman's conmon (2.1.6, tried) leaves a file `oom` there,
which is not to lie among the user's files; here it cannot."""
BROKE_PROTOCOL = 70
"""Exit code for an agent that does not keep to the protocol (EX_SOFTWARE of sysexits.h)."""


class ContainerProcess:
    """A started command; see `start.Process`."""

    output_fd: int
    _said_fd: int
    """A memory file with what the engine's program complains of."""
    _ended_fd: int
    """A pidfd of that program."""
    _wake: int
    """An eventfd by which the thread that attends is woken."""
    _threads: tuple[threading.Thread, ...]

    def __init__(
        self, policy: SandboxPolicy, argv: Sequence[str], *, request_fd: int = -1, answer_fd: int = -1
    ) -> None:
        """Raises `SandboxUnavailable`. The two descriptors are the command's ends of a dialog; they are duplicated."""
        if policy.engine is None:
            raise ValueError("the policy names no engine")
        self._engine = find_engine(policy.engine)
        self._name = container_name()
        self._watchdog = Watchdog(policy)
        self._ends = threading.Lock()
        self._sends = threading.Lock()
        self._ending = threading.Event()
        self._over = threading.Event()
        self._hello = threading.Event()
        self._greeted = self._broken = False
        self._code: int | None = None
        self.complaint = ""
        """What it was ended for; empty otherwise."""
        order = _order(policy, argv, dialog=request_fd >= 0)
        self._client = self._spawned(arguments(self._engine, policy, self._name))
        self._open(request_fd, answer_fd)
        self._send(b"B", order)
        self._hello.wait(START_TIMEOUT_S)
        if not self._greeted:
            raise self._not_started(policy.image)

    @property
    def pid(self) -> int:
        """Of the engine's program, which ends with the container."""
        return self._client.pid

    def exit_code(self) -> int | None:
        return self._code if self._over.is_set() else None

    def wait(self, timeout_s: float) -> None:
        self._over.wait(timeout_s)

    def never_ran(self) -> bool:
        """Never so: a container that does not start is an error of the constructor."""
        return False

    def drain(self, on_output: Callable[[bytes], None]) -> int:
        return drain(self.output_fd, on_output)

    def settle(self) -> None:
        """Nothing: the agent knows which process the command is."""

    def signal_others(self, number: int) -> None:
        self._send(b"S", b"%d" % number)

    def kill(self) -> None:
        """End it and everything inside, and wait until that is so; idempotent, from any thread."""
        with self._ends:
            self._ending.set()
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)
            with self._sends:
                self._stdin.close()  # the agent ends with it, and everything else in the container with the agent
            if not self._removed:
                self._remove()
        self._over.wait(END_TIMEOUT_S)

    def close(self) -> None:
        self.kill()
        for thread in self._threads:
            thread.join(END_TIMEOUT_S)
        if any(thread.is_alive() for thread in self._threads):
            return  # an engine that left its stdout to somebody else: leaking descriptors beats waiting for ever
        with self._ends:
            for fd in (self.output_fd, self._said_fd, self._ended_fd, self._wake):
                if fd >= 0:
                    os.close(fd)
            self.output_fd = self._said_fd = self._ended_fd = self._wake = -1
            self._stdout.close()

    def _spawned(self, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        self._said_fd = os.memfd_create("engine", os.MFD_CLOEXEC)
        try:
            return subprocess.Popen(
                argv,
                bufsize=0,
                env=engine_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said_fd,
                start_new_session=True,
                cwd=NOWHERE,
            )
        except OSError as error:
            os.close(self._said_fd)
            raise SandboxUnavailable(f"{argv[0]} cannot be started: {error}") from None

    def _open(self, request_fd: int, answer_fd: int) -> None:
        if self._client.stdin is None or self._client.stdout is None:
            raise RuntimeError("started without pipes")
        self._stdin, self._stdout = self._client.stdin, self._client.stdout
        self._removed = False
        self._ended_fd = os.pidfd_open(self._client.pid)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.output_fd, output = os.pipe()
        widen(self.output_fd)
        answers, requests = (os.dup(fd) if fd >= 0 else -1 for fd in (answer_fd, request_fd))
        for fd in (self.output_fd, output, answers, self._stdin.fileno()):
            if fd >= 0:
                os.set_blocking(fd, False)
        self._threads = (
            threading.Thread(target=self._listen, args=(output, answers), name="container", daemon=True),
            threading.Thread(target=self._attend, args=(requests,), name="container-watch", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def _not_started(self, image: str) -> SandboxUnavailable:
        """Frees everything; the reason is the last line that the engine said."""
        late = "" if self._over.is_set() else f"it was not ready after {START_TIMEOUT_S:g} s"
        self.kill()
        said = os.pread(self._said_fd, MAX_REASON_BYTES, max(0, os.fstat(self._said_fd).st_size - MAX_REASON_BYTES))
        reason = self.complaint or late or reason_in(said.decode("utf-8", "replace"))
        self.close()
        kind = self._engine.kind
        return SandboxUnavailable(
            f"{kind} could not start python3 in a container of {image}: {reason}",
            fix=f"See what `{kind} run --rm --entrypoint python3 {image} --version` says",
        )

    def _listen(self, output: int, answers: int) -> None:
        """Turn the agent's frames into output and answers, until its stdout ends."""
        reader = FrameReader()
        try:
            while data := os.read(self._stdout.fileno(), READ_BYTES):
                if not self._broken:
                    answers = self._heard(reader, data, output, answers)
        finally:
            for fd in (output, answers):
                if fd >= 0:
                    os.close(fd)
            wait_readable([self._ended_fd], END_TIMEOUT_S)
            if self._code is None:
                code = self._client.poll()
                self._code = BROKE_PROTOCOL if code is None else 128 - code if code < 0 else code
            self._over.set()
            self._hello.set()

    def _heard(self, reader: FrameReader, data: bytes, output: int, answers: int) -> int:
        """Carry out the frames in `data`; returns where answers go from now on."""
        try:
            for kind, payload in reader.feed(data):
                if kind == b"H":
                    self._greeted = True
                    self._hello.set()
                elif kind == b"O":
                    self._deliver(output, payload)
                elif kind == b"X":
                    self._code = int(payload)
                    self._over.set()
                elif payload:
                    self._deliver(answers, payload)
                elif answers >= 0:
                    os.close(answers)
                    answers = -1
        except (FrameBroken, ValueError) as error:
            self.complaint = self.complaint or f"what came out of its container is not of our agent ({error})"
            self._code, self._broken = BROKE_PROTOCOL, True
            os.eventfd_write(self._wake, 1)
        return answers

    def _attend(self, requests: int) -> None:
        """Hand on requests and look at the disk, until the engine's program ends."""
        watch_at = time.monotonic() + WATCH_EVERY_S
        try:
            while not self._ending.is_set():
                fds = [self._ended_fd, self._wake, *([requests] if requests >= 0 else [])]
                ready = wait_readable(fds, remaining(watch_at))
                if self._ended_fd in ready:
                    return
                if requests in ready:
                    if data := os.read(requests, READ_BYTES):
                        self._send(b"R", data)
                    else:
                        os.close(requests)
                        requests = -1
                if time.monotonic() >= watch_at:
                    watch_at = time.monotonic() + WATCH_EVERY_S
                    self.complaint = self.complaint or self._watchdog.disk_complaint()
                if self.complaint:
                    self.kill()
        finally:
            if requests >= 0:
                os.close(requests)

    def _send(self, kind: bytes, payload: bytes) -> None:
        """To the agent; nothing where it or we are ending."""
        view = memoryview(frames(kind, payload))
        with self._sends:
            while view and not self._ending.is_set():
                try:
                    view = view[os.write(self._stdin.fileno(), view) :]
                except BlockingIOError:
                    wait_writable(self._stdin.fileno(), POLL_EVERY_S)
                except BrokenPipeError:
                    return  # the container has ended, which `_listen` tells

    def _deliver(self, fd: int, payload: bytes) -> None:
        """Into one of the pipes that our user reads; what does not fit when all is over is lost."""
        view = memoryview(payload)
        while view and fd >= 0:
            try:
                view = view[os.write(fd, view) :]
            except BlockingIOError:
                if self._ending.is_set():
                    return
                wait_writable(fd, POLL_EVERY_S)
            except BrokenPipeError:
                return  # nobody reads it any more

    def _remove(self) -> None:
        """Wait until the engine's program is done, which removes the container; else have it removed by force."""
        done = wait_readable([self._ended_fd], END_TIMEOUT_S)
        if not done or self._broken or self._client.poll() != 0:
            with suppress(SandboxUnavailable):  # the next run's start removes what is left
                self._engine.remove(self._name)
            self._client.kill()
        self._client.wait()
        self._removed = True


def _order(policy: SandboxPolicy, argv: Sequence[str], *, dialog: bool) -> bytes:
    """What the agent is to start, and how; raises `SandboxUnavailable`."""
    order = {
        "argv": list(argv),
        "environment": environment_inside(policy),
        "limits": limits(policy),
        "mounts": expected_mounts(policy),
        "git": GIT_CONFIG,
        "filter": base64.b64encode(filter_program()).decode(),
        "dialog": dialog,
    }
    return json.dumps(order).encode()
