"""A contestant's process, watched from outside: when it began to work, what memory and processor time it takes."""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

SAMPLE_EVERY_S = 0.05
PROJECT = Path(__file__).resolve().parents[2]


class Watched:
    """A running command; standard output's first line says that it is ready to work.

    `peak_bytes` is the largest sum of the resident memory of the process and all its descendants; `first_line_s` and
    `started` (of `time.perf_counter()`) say when it was ready.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.peak_bytes = 0
        self.first_line_s: float | None = None
        self._log = log
        self.started = time.perf_counter()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._own = psutil.Process(self._process.pid)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._sample)]
        for thread in self._threads:
            thread.start()

    def cpu_s(self) -> float:
        """Processor time of the process itself so far, without its children."""
        try:
            times = self._own.cpu_times()
        except psutil.Error:  # it has just ended
            return 0.0
        return float(times.user + times.system)

    def wait(self, timeout_s: float) -> int:
        """The exit code; a process that takes longer is killed, and TimeoutExpired raised."""
        try:
            code = self._process.wait(timeout_s)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            for thread in self._threads:
                thread.join()
        return code

    def told(self) -> str:
        """The end of what it printed on standard error."""
        return self._log.read_text(errors="replace")[-2000:]

    def _read(self) -> None:
        if self._process.stdout is None:
            raise RuntimeError("the pipe asked for was not made")
        with self._process.stdout as output:
            if output.readline():
                self.first_line_s = time.perf_counter() - self.started
            output.read()

    def _sample(self) -> None:
        while self._process.poll() is None:
            self.peak_bytes = max(self.peak_bytes, self._resident())
            time.sleep(SAMPLE_EVERY_S)

    def _resident(self) -> int:
        found = 0
        try:
            for process in (self._own, *self._own.children(recursive=True)):
                found += process.memory_info().rss
        except psutil.Error:  # one has just ended
            return 0
        return found
