"""What every contestant gets, and the two ways of running one: in our sandbox, or on the host if it has its own."""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evaluation.judge import Judge
from evaluation.task import Task
from interpreter.sandbox.command import Command
from interpreter.sandbox.protocol import SandboxPolicy

EndKind = Literal["ended", "died", "time", "budget"]
LOOK_EVERY_S = 0.1
GRACE_S = 15.0
"""For a contestant that was told to end: ours writes its last event."""
MAX_SAID = 4000


@dataclass(frozen=True, slots=True)
class Arena:
    """One run. `workspace` lies in `folder`, which is also the contestant's home; `spent` says that its budget is."""

    url: str
    model: str
    task: Task
    folder: Path
    seed: int
    timeout_s: float
    spent: threading.Event
    judge: Judge

    @property
    def workspace(self) -> Path:
        """Holds the task's files and nothing else."""
        return self.folder / "work"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the contestant ended, apart from whether the task is done; `said` is the end of its output."""

    kind: EndKind
    exit_code: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program under its name; `ours` marks it in the report. `run` may raise, which is a row of its own."""

    name: str
    run: Callable[[Arena], Ending]
    ours: bool = False


def in_sandbox(arena: Arena, python: Path, words: Sequence[str], environment: Mapping[str, str]) -> Ending:
    """A foreign program whose code would run on the host otherwise; it has the network, to reach the model."""
    policy = SandboxPolicy(
        arena.folder,
        python,
        readonly_paths=(Path(__file__).parent,),
        network=True,
        environment={"HOME": str(arena.folder), **environment},
    )
    said = bytearray()
    command = Command(policy)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_EVERY_S):
            if arena.spent.is_set():
                command.interrupt()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        line = f"cd {shlex.quote(str(arena.workspace))} && exec {shlex.join(words)}"
        outcome = command.run(line, said.extend, arena.timeout_s)
    finally:
        done.set()
        watcher.join()
        command.close()
    text = bytes(said[-MAX_SAID:]).decode("utf-8", "replace")
    kind: EndKind = "ended" if outcome.kind == "finished" else "died"
    if outcome.kind == "timed_out":
        kind = "time"
    if arena.spent.is_set():
        kind = "budget"
    return Ending(kind, outcome.exit_code, text or outcome.detail)


def on_host(arena: Arena, words: Sequence[str], environment: Mapping[str, str], fine: Sequence[int] = (0,)) -> Ending:
    """A program of ours, which has a sandbox of its own; `fine` are the exit codes of an orderly end."""
    log = arena.folder / "output.txt"
    deadline = time.monotonic() + arena.timeout_s
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=Path(__file__).parents[2],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    kind: EndKind | None = None
    try:
        while process.poll() is None and kind is None:
            if arena.spent.wait(LOOK_EVERY_S):
                kind = "budget"
            elif time.monotonic() > deadline:
                kind = "time"
        if kind is not None:
            _end(process)
    finally:
        if process.poll() is None:
            _kill(process)
    code = process.wait()
    said = log.read_bytes()[-MAX_SAID:].decode("utf-8", "replace")
    return Ending(kind or ("ended" if code in fine else "died"), code, said)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; one that finished meanwhile has."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
