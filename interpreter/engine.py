"""The parent's side of Open Interpreter's loop: it says whose turn it is, and everything else happens here.

The loop decides only when to ask the model and when to run code. So a host that dies, lies or falls silent costs
nothing but a restart: the conversation is in our own record, and a reply it did not act on is handed over again.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpreter.code_blocks import CodeBlock
from interpreter.sandbox.process import wait_readable
from super_agent.core.errors import EngineFailed, Interrupted
from super_agent.core.wire import LineReader

HOST = Path(__file__).parent / "open_interpreter" / "host.py"
ISOLATED = ("-I", "-X", "utf8", "-W", "ignore")
"""Neither our folder nor the working folder on its path; its libraries warn on import."""
PROTOCOL = 2
START_TIMEOUT_S = 60.0
"""Measured 0.3-2.7 s; the first start after an installation also compiles 47 packages."""
SILENCE_S = 30.0
"""Between an answer and the host's next line it only moves a few messages about: milliseconds."""
MAX_RESTARTS = 2
"""For one instruction; a host that dies a third time is broken, not unlucky."""
FIX = "Make its environment anew: make clean-engine setup (or super-agent up)"


@dataclass(frozen=True, slots=True)
class EngineReply:
    """A model's reply as the loop gets it: its text and the one block that is to run, if any."""

    text: str
    block: CodeBlock | None


class _HostFailed(Exception):
    """This host cannot be used any more; the text says why."""


class Engine:
    """One Open Interpreter process, started when it is first needed and again after a failure."""

    def __init__(
        self,
        python: Path,
        on_restart: Callable[[str], None] = lambda _reason: None,
        *,
        host: Path = HOST,
        silence_s: float = SILENCE_S,
    ) -> None:
        """`python` is the interpreter of the engine's own environment, `host` what it runs."""
        self._python = python
        self._host_file = host
        self._silence_s = silence_s
        self._on_restart = on_restart
        self._host: _Host | None = None
        self._cancelled = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the host where none lives; raises `EngineFailed`."""
        with self._lock:
            if self._host is None:
                try:
                    self._host = _Host(
                        [str(self._python), *ISOLATED, str(self._host_file)], self._cancelled, self._silence_s
                    )
                except _HostFailed as failure:
                    raise EngineFailed(f"Open Interpreter did not start: {failure}", fix=FIX) from failure

    def converse(self, instruction: str, ask: Callable[[], EngineReply], run: Callable[[CodeBlock], str]) -> None:
        """Drive one instruction to its end: `ask()` at each model's turn, `run(block)` for each block.

        What they raise passes through unchanged, and the next instruction works; raises `EngineFailed` when the host
        fails three times, `Interrupted` after `cancel`.
        """
        self._cancelled.clear()
        turn = _Turn(ask, run)
        for attempt in range(MAX_RESTARTS + 1):
            self.start()
            host = self._host
            if host is None:
                raise EngineFailed("the engine was closed", fix=FIX)
            try:
                turn.drive(host, instruction)
                return
            except _HostFailed as failure:
                self._drop()
                if attempt == MAX_RESTARTS:
                    raise EngineFailed(f"Open Interpreter failed {attempt + 1} times: {failure}", fix=FIX) from failure
                self._on_restart(str(failure))
            except BaseException:
                # It waits for an answer that will not come: a fresh one is cheaper than a way to take a turn back.
                self._drop()
                raise

    def cancel(self) -> None:
        """End a wait for the host at once, from any thread; what `ask` and `run` wait for is their owner's."""
        self._cancelled.set()

    def close(self) -> None:
        """End the host; idempotent."""
        self._drop()

    def _drop(self) -> None:
        with self._lock:
            host, self._host = self._host, None
        if host is not None:
            host.close()


class _Turn:
    """One instruction; outlives a host, so that a reply a dead host did not act on is handed over again."""

    def __init__(self, ask: Callable[[], EngineReply], run: Callable[[CodeBlock], str]) -> None:
        self._ask = ask
        self._run = run
        self._unused: EngineReply | None = None
        self._order: list[str] = []
        """What the host's messages of this instruction must be, as role/type: only their order is compared."""

    def drive(self, host: "_Host", instruction: str) -> None:
        host.send(kind="instruct", text=instruction)
        self._order = ["user/message"]
        while True:
            message = host.receive()
            if message.get("kind") in ("ask", "end") and message.get("order") != self._order:
                raise _HostFailed(f"its record is {message.get('order')}, ours {self._order}"[:500])
            match message.get("kind"):
                case "ask":
                    reply = self._unused = self._unused or self._ask()
                    block = reply.block
                    # A turn without text and code would leave the loop where it was, and it would ask for ever.
                    text = reply.text or ("" if block else "(no answer)")
                    self._order += ["assistant/message"] if text else []
                    host.send(
                        kind="reply",
                        text=text,
                        language=block.language if block else None,
                        code=block.code if block else None,
                    )
                case "run":
                    host.send(kind="output", text=self._output(message))
                    self._order += ["assistant/code", "computer/console"]
                case "end" if self._unused is not None and self._unused.block is None:
                    return
                case "failed":
                    raise _HostFailed(f"its loop failed: {message.get('error', '')}"[:500])
                case kind:
                    raise _HostFailed(f"it said {kind!r} out of turn")

    def _output(self, message: dict[str, Any]) -> str:
        reply, self._unused = self._unused, None
        asked = (message.get("language"), message.get("code"))
        if reply is None or reply.block is None or asked != (reply.block.language, reply.block.code):
            raise _HostFailed("it wanted to run code that no reply held")
        return self._run(reply.block)


class _Host:
    """The process and its two pipes. Every way it can fail is `_HostFailed`."""

    def __init__(self, command: Sequence[str], cancelled: threading.Event, silence_s: float) -> None:
        self._cancelled = cancelled
        self._silence_s = silence_s
        self._home = tempfile.mkdtemp(prefix="super-agent-engine-")
        self._lines: list[bytes] = []
        self._sent = 0
        self._reader = LineReader()
        try:
            # What it prints is not for the user, and stdout carries the protocol.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"HOME": self._home, "PATH": "/nonexistent"},
                cwd=self._home,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._home, ignore_errors=True)
            raise _HostFailed(f"{command[0]}: {error.strerror}") from error
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def send(self, **message: object) -> None:
        """Write one line."""
        pipe = self._process.stdin
        if pipe is None:
            raise _HostFailed("its pipe is closed")
        self._sent += 1
        try:
            pipe.write(json.dumps({**message, "number": self._sent}).encode() + b"\n")
            pipe.flush()
        except OSError as error:
            raise _HostFailed(self._death()) from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next line as an object."""
        timeout_s = self._silence_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        while not self._lines:
            self._read(deadline, timeout_s)
        line = self._lines.pop(0)
        try:
            message = json.loads(line)
        except ValueError:
            raise _HostFailed(f"it wrote what is no message: {line[:60]!r}") from None
        if not isinstance(message, dict):
            raise _HostFailed(f"it wrote what is no message: {line[:60]!r}")
        if message.get("after") != self._sent:
            raise _HostFailed(f"it answers line {message.get('after')!r}, the last one was {self._sent}")
        return message

    def close(self) -> None:
        """End the process group and remove its private home."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._process.poll()  # it ended by itself
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was still buffered has no reader any more
        shutil.rmtree(self._home, ignore_errors=True)

    def _greet(self) -> None:
        hello = self.receive(START_TIMEOUT_S)
        if hello.get("kind") == "failed":
            raise _HostFailed(f"it could not be imported: {hello.get('error', '')}"[:500])
        if hello.get("kind") != "hello" or hello.get("protocol") != PROTOCOL:
            raise _HostFailed(f"it speaks protocol {hello.get('protocol')!r}, wanted {PROTOCOL}")

    def _read(self, deadline: float, timeout_s: float) -> None:
        if self._cancelled.is_set():
            raise Interrupted("the executor was interrupted")
        if time.monotonic() >= deadline:
            raise _HostFailed(f"it said nothing for {timeout_s:g} s")
        pipe = self._process.stdout
        if pipe is None or not wait_readable([pipe.fileno()], 0.1):
            return
        data = os.read(pipe.fileno(), 1024 * 1024)
        if not data:
            raise _HostFailed(self._death())
        try:
            self._lines += self._reader.feed(data)
        except ValueError as error:
            raise _HostFailed(f"it wrote {error}") from error

    def _death(self) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"its process ended with exit code {code}" if code >= 0 else f"its process was killed by signal {-code}"
