"""One process of Open Interpreter's host and its two pipes: JSON lines, numbered, with a limit on every wait.

A wait looks ten times a second whether it was cancelled: waking it would take a third pipe for each host, to win 0.1 s.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from super_agent.core.errors import Interrupted
from super_agent.core.ollama.http import LineReader
from super_agent.core.pipes import wait_readable, wait_writable
from super_agent.core.sanitize import sanitize
from super_agent.core.text import clipped

PROTOCOL = 2
OPEN_INTERPRETER = "0.4.3"
POLL_EVERY_S = 0.1
"""How often a wait looks whether it was cancelled."""
START_TIMEOUT_S = 60.0
"""Measured 0.2 s; more the first time on a slow disk."""
SILENCE_S = 30.0
"""Between an answer and the host's next line it only moves a few messages about: milliseconds."""


class HostFailed(Exception):
    """This host cannot be used any more; the text says why."""


class HostProcess:
    """A started host that has said hello. Every way it can fail is `HostFailed`; `Interrupted` when `stopped()`."""

    def __init__(self, command: Sequence[str], stopped: Callable[[], bool], silence_s: float) -> None:
        """Raises `HostFailed` for one that does not start, or is not the one we know."""
        self._stopped = stopped
        self._silence_s = silence_s
        self._lines: list[bytes] = []
        self._reader = LineReader()
        self._sent = 0
        self._ending = threading.Lock()
        self._ended = False
        self._home = tempfile.mkdtemp(prefix="super-agent-engine-")
        try:
            # What it prints is not for the user, and stdout carries the protocol.
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"HOME": self._home, "PATH": "/nonexistent"},
                cwd=self._home,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._home, ignore_errors=True)
            raise HostFailed(f"{command[0]}: {error.strerror}") from error
        try:
            os.set_blocking(_pipe(self._process.stdin).fileno(), False)
            self._greet()
        except BaseException:
            self.close()
            raise

    def send(self, **message: object) -> None:
        """Write one line; a host that does not read it in time has failed."""
        self._sent += 1
        data = memoryview(json.dumps({**message, "number": self._sent}).encode() + b"\n")
        pipe = _pipe(self._process.stdin)
        deadline = time.monotonic() + self._silence_s
        while data:
            self._raise_if_over(deadline, self._silence_s)
            if not wait_writable(pipe.fileno(), POLL_EVERY_S):
                continue
            try:
                data = data[os.write(pipe.fileno(), data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise HostFailed(self._death()) from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """Its next line, which must follow the last one sent."""
        timeout_s = self._silence_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        while not self._lines:
            self._raise_if_over(deadline, timeout_s)
            self._read()
        line = self._lines.pop(0)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise HostFailed(f"it wrote what is no message: {line[:60]!r}") from None
        if not isinstance(message, dict):
            raise HostFailed(f"it wrote what is no message: {line[:60]!r}")
        if message.get("kind") == "failed":
            raise HostFailed(f"its loop failed: {_quoted(message.get('error'))}")
        if message.get("after") != self._sent:
            raise HostFailed(f"it answers line {_quoted(message.get('after'))}, the last one was {self._sent}")
        return message

    def kill(self) -> None:
        """End the process group; safe from any thread, and after `close`."""
        with self._ending:
            if not self._ended:
                # The leader is not reaped before `close`, so the number is still this group's.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process group, close the pipes and remove its private home; idempotent."""
        self.kill()
        with self._ending:
            self._ended = True
            self._process.wait()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _greet(self) -> None:
        hello = self.receive(START_TIMEOUT_S)
        if hello.get("kind") != "hello" or hello.get("protocol") != PROTOCOL:
            raise HostFailed(f"it speaks protocol {_quoted(hello.get('protocol'))}, wanted {PROTOCOL}")
        if hello.get("version") != OPEN_INTERPRETER:
            raise HostFailed(f"it is Open Interpreter {_quoted(hello.get('version'))}, wanted {OPEN_INTERPRETER}")

    def _read(self) -> None:
        pipe = _pipe(self._process.stdout)
        if not wait_readable([pipe.fileno()], POLL_EVERY_S):
            return
        data = os.read(pipe.fileno(), 1024 * 1024)
        if not data:
            raise HostFailed(self._death())
        try:
            self._lines += self._reader.feed(data)
        except ValueError as error:
            raise HostFailed(f"it wrote {error}") from error

    def _raise_if_over(self, deadline: float, timeout_s: float) -> None:
        if self._stopped():
            raise Interrupted("the executor was interrupted")
        if time.monotonic() >= deadline:
            raise HostFailed(f"it said nothing for {timeout_s:g} s")

    def _death(self) -> str:
        """How it ended, without reaping it."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            status = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if status is not None:
                how = "ended with exit code" if status.si_code == os.CLD_EXITED else "was killed by signal"
                return f"its process {how} {status.si_status}"
            time.sleep(0.01)
        return "it closed its pipe"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("started without a pipe")
    return pipe


def _quoted(value: object) -> str:
    """A host's words for a message to the user: one bounded line that cannot steer a terminal."""
    return clipped(" ".join(sanitize(str(value)).split()), 300)
