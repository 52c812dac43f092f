"""One `super-agent run --json` process: started so that it never outlives the batch, read, and ended when asked."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from super_agent.batch.event_tally import Tally, is_interesting
from super_agent.core.orphans import dies_with

GRACE_S = 20.0
"""A run that is told to end keeps its state and shuts its sandbox, which takes a second or two."""
LINE_BYTES = 64 * 1024 * 1024
"""The longest event: a message of a few megabytes, each character escaped."""


@dataclass(frozen=True, slots=True)
class EndedProcess:
    """How a process ended: negative codes are signals; `complaint` is the last line of its standard error."""

    code: int
    complaint: str


@dataclass(slots=True)
class RunProcess:
    """At most one process at a time; `stop` ends it, and every later one at once.

    `environment` is the run's, or else this process's own; `watch` is given each line that a `Tally` looks at.
    """

    tally: Tally
    environment: Mapping[str, str] | None = None
    watch: Callable[[bytes], None] | None = None
    stopped: bool = False
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def run(self, arguments: Sequence[str], errors: Path) -> EndedProcess:
        """Run to the end; `errors` takes the standard error. Raises OSError."""
        with errors.open("wb") as complaints:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "super_agent.cli.main", *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                env=self.environment,
                limit=LINE_BYTES,
                start_new_session=True,  # Ctrl-C in the terminal is the batch's; it tells the runs
                preexec_fn=dies_with(os.getpid()),
            )  # fmt: skip
        self._process = process
        try:
            if self.stopped:
                self.stop()
            await self._read(process)
            code = await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self._process = None
        return EndedProcess(code, _last_line(errors))

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Tell it to end; after a while it is killed. What it had done by its last complete turn is kept."""
        self.stopped = True
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            if number != signal.SIGKILL:
                asyncio.get_running_loop().call_later(GRACE_S, self.stop, signal.SIGKILL)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("a pipe that was asked for is not there")
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than any event that is looked at; the reader has dropped it
                continue
            if not line:
                return
            self.tally.take_line(line)
            if self.watch is not None and is_interesting(line):
                self.watch(line)


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("super-agent: ") if lines else ""
