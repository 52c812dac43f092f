"""One MCP server's process and its wire: bounded messages in, nothing of it left when it is ended."""

import asyncio
import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from super_agent.core.orphans import GroupGuard, dies_with
from super_agent.core.sanitize import sanitize
from super_agent.tools.listed import ListedServer

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""As this program's own server takes it."""
MAX_CALL_BYTES = 16 * 1024 * 1024
"""Of everything that a server says between two calls: more is a flood."""
MAX_STRAY_LINES = 200
"""Lines that are no messages, such as a banner; a server that goes on with them speaks something else."""
STDERR_CHARS = 200
POLL_EVERY_S = 0.02
END_S, TERM_S, KILL_S = 1.0, 1.0, 2.0
"""For the server to end by itself when its input ends, then after SIGTERM, then after SIGKILL."""


@dataclass(slots=True)
class ServerProcess:
    """Made by `start`; owned by one task, which calls `stop`."""

    process: asyncio.subprocess.Process
    guard: GroupGuard
    why_ended: str = ""
    """What this side ended it for, or what its end looked like."""
    heard_bytes: int = 0
    """Since the last call began; the caller sets it back."""
    _stderr: deque[str] = field(default_factory=lambda: deque(maxlen=1))

    @classmethod
    async def start(cls, server: ListedServer) -> "ServerProcess":
        """Raises OSError, `SettingInvalid`."""
        process = await asyncio.create_subprocess_exec(
            server.program(), *server.args,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=server.environment(), cwd=server.cwd or Path.home(), limit=MAX_MESSAGE_BYTES,
            start_new_session=True, preexec_fn=dies_with(os.getpid()),
        )  # fmt: skip
        return cls(process, GroupGuard(process.pid))

    async def read(self, into: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        """Hand on its messages until it ends, or until it says too much."""
        strays = 0
        async with into:
            while line := await self._line():
                self.heard_bytes += len(line)
                if self.heard_bytes > MAX_CALL_BYTES:
                    self.why_ended = f"it sent more than {MAX_CALL_BYTES >> 20} MiB for one call"
                    return
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValidationError:
                    strays += bool(line.strip())
                    if strays > MAX_STRAY_LINES:
                        self.why_ended = "what it sends are no MCP messages"
                        return
                    continue
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await into.send(SessionMessage(message))
            if not self.why_ended:
                self.why_ended = await self._how_it_ended()

    async def write(self, out: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Send what the session says; a server that is gone takes nothing."""
        stdin = self.process.stdin
        async with out:
            async for outgoing in out:
                line = outgoing.message.model_dump_json(by_alias=True, exclude_unset=True).encode()
                with suppress(ConnectionError):
                    if stdin is not None:
                        stdin.write(line + b"\n")
                        await stdin.drain()

    async def drain_errors(self) -> None:
        """Keep the last line of its standard error."""
        stream = self.process.stderr
        while stream is not None and (part := await stream.read(65536)):
            text = sanitize(part.decode("utf-8", "replace"))
            if lines := [line for line in text.splitlines() if line.strip()]:
                self._stderr.append(lines[-1].strip()[-STDERR_CHARS:])

    async def stop(self) -> None:
        """End it and all that it started; within the sum of the bounds."""
        process = self.process
        if process.stdin is not None:
            process.stdin.close()
        for number, wait_s in ((None, END_S), (signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
            if number is not None:
                self._signal(number)
            if await self._is_over(wait_s):
                break
        self._signal(signal.SIGKILL)  # whatever it left in its group
        self.guard.release()
        process._transport.close()  # type: ignore[attr-defined]  # else pipes that were not read to their end stay open

    async def _line(self) -> bytes:
        stdout = self.process.stdout
        try:
            return await stdout.readline() if stdout is not None else b""
        except ValueError:
            self.why_ended = f"it sent a message of more than {MAX_MESSAGE_BYTES >> 20} MiB"
            return b""

    async def _how_it_ended(self) -> str:
        await self._is_over(END_S)
        code = self.process.returncode
        last = f": {self._stderr[-1]}" if self._stderr else ""
        return (f"it ended with code {code}" if code is not None else "it closed its output") + last

    async def _is_over(self, wait_s: float) -> bool:
        """Whether it ended within that time; `Process.wait` would wait for all who have its pipes, too."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while self.process.returncode is None:
                    await asyncio.sleep(POLL_EVERY_S)
        return self.process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
