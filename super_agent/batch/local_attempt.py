"""One attempt at one task on this machine: a fresh copy, a run or the resume of one, and what came of it."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from super_agent import __version__
from super_agent.batch.event_tally import Tally
from super_agent.batch.previous_run import discard, patch_of, previous_run, tally_of
from super_agent.batch.repositories import Repositories
from super_agent.batch.run_process import EndedProcess, RunProcess
from super_agent.batch.tasks import Task
from super_agent.batch.workspace_copies import copy_folder, remove_folder
from super_agent.core.batches.attempts import OUTCOMES, Attempt, AttemptOutcome
from super_agent.core.errors import ExitCode, SuperAgentError, UsageError
from super_agent.core.files.workspace import Workspace
from super_agent.core.state import write_durably
from super_agent.core.store.store import Store

MAX_KILLS = 5
"""Times that one attempt is taken up again after it was killed (by the kernel for want of memory, by a person)."""


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """Where and how this machine's attempts work; `flags` are given to each run, `store` is the user's own."""

    folder: Path
    state_dir: Path
    store: Store
    repositories: Repositories
    flags: tuple[str, ...] = ()
    model: str = ""
    digest: str = ""
    environment: Mapping[str, str] | None = None
    """Of each run; None: this process's own."""


@dataclass(slots=True, eq=False)
class LocalAttempt:
    """One attempt; `run` is called once, `stop` may be called at any moment."""

    context: AttemptContext
    task: Task
    hash: str
    number: int
    locked: Callable[[str], asyncio.Lock]
    watch: Callable[[bytes], None] | None = None
    """Is given each line of a run's `--json` that a `Tally` looks at."""
    _process: RunProcess = field(init=False)

    def __post_init__(self) -> None:
        self._process = RunProcess(Tally(), self.context.environment, self.watch)

    @property
    def folder(self) -> Path:
        """The task's own, removed once its result is kept."""
        return self.context.folder / self.task.id

    @property
    def workspace(self) -> Path:
        """The copy that the run works in."""
        return self.folder / "workspace"

    def stop(self) -> None:
        """End the run; it is gone on with when the batch is started again."""
        self._process.stop()

    async def run(self) -> tuple[Attempt, bytes] | None:
        """The attempt and its patch, or None where it was stopped. Raises OSError where the disk fails."""
        started = time.monotonic()
        try:
            ended = await self._carried_out()
            if self._process.stopped and ended.code not in (0, 1):
                return None
            patch = await asyncio.to_thread(self._patch) if self._process.tally.session else b""
        except SuperAgentError as error:
            ended, patch = EndedProcess(int(error.exit_code), str(error)), b""
        return self._attempt(ended, round(time.monotonic() - started, 3)), patch

    def discard(self) -> None:
        """Remove what the attempt left; raises OSError."""
        discard(self.context.state_dir, self.folder, self.workspace)

    async def _carried_out(self) -> EndedProcess:
        kills = refused = 0
        while True:
            ended = await self._once()
            if self._process.stopped:
                return ended
            if ended.code < 0 and kills < MAX_KILLS:
                kills += 1
            elif ended.code == ExitCode.USAGE and self._process.tally.session and not refused:
                refused += 1  # what was kept of it cannot be gone on with, so it is begun anew
                await asyncio.to_thread(self.discard)
            else:
                return ended

    async def _once(self) -> EndedProcess:
        """From where the task stands to the end of one process."""
        self._process.tally = Tally()
        since = self._begun()
        if since is not None and self.workspace.is_dir():
            how, row = await asyncio.to_thread(previous_run, self.context.store, self.workspace.resolve(), since)
            if row is not None and how == "ended":
                self._process.tally = await asyncio.to_thread(tally_of, self.context.store, row.id)
                return EndedProcess(row.exit_code or 0, row.detail)
            if row is not None and how == "resumable":
                self._process.tally = await asyncio.to_thread(tally_of, self.context.store, row.id)
                resume = ("resume", row.id, "--json", *self.context.flags)
                return await self._process.run(resume, self.folder / "stderr")
        await asyncio.to_thread(self.discard)
        try:
            await self._copied()
        except OSError:
            await asyncio.to_thread(remove_folder, self.folder)  # half a copy only takes room
            raise
        return await self._process.run(self._arguments(), self.folder / "stderr")

    def _begun(self) -> float | None:
        """When the task was begun under the same hash; None where it was not."""
        try:
            facts = json.loads((self.folder / "begun.json").read_text(encoding="utf-8"))
            return float(facts["time"]) if facts["hash"] == self.hash else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def _copied(self) -> None:
        task = self.task
        self.folder.mkdir(parents=True)
        if task.repo is not None:
            async with self.locked(task.repo):
                await asyncio.to_thread(self.context.repositories.write, task.repo, task.commit, self.workspace)
        elif task.workspace is not None:
            await asyncio.to_thread(copy_folder, Path(task.workspace), self.workspace, self.context.folder.parent)
        else:
            self.workspace.mkdir()
        with Workspace(self.workspace) as opened:
            for path, text in task.files.items():
                opened.write_bytes(path, text.encode())
        (self.folder / "task.md").write_text(task.task, encoding="utf-8")
        write_durably(self.folder / "begun.json", json.dumps({"hash": self.hash, "time": time.time()}).encode())

    def _arguments(self) -> Sequence[str]:
        task = self.task
        found = ["exec" if task.mode == "exec" else "run", "--json", "--file", str(self.folder / "task.md")]
        found += ["--workspace", str(self.workspace), *self.context.flags]
        found += ["--solo"] if task.mode == "solo" else []
        found += [f"--check={task.check}"] if task.check is not None else []
        found += [f"--setup={task.setup}", "--yes"] if task.setup is not None else []
        limits = {"turns": task.limits.turns, "time": task.limits.seconds, "tokens": task.limits.tokens}
        # The last of a flag that is given twice counts.
        return found + [f"--max-{name}={value}" for name, value in limits.items() if value is not None]

    def _patch(self) -> bytes:
        return patch_of(self.context.state_dir, self.workspace, self._process.tally.session)

    def _attempt(self, ended: EndedProcess, wall_s: float) -> Attempt:
        tally, end = self._process.tally, self._process.tally.end
        sent, evaluated, out = tally.tokens()
        outcome: AttemptOutcome = OUTCOMES.get(ended.code, "killed")
        reason = "killed" if outcome == "killed" else str(end["reason"]) if end is not None else "error"
        return Attempt(
            id=self.task.id, hash=self.hash, attempt=self.number, final=True, outcome=outcome, reason=reason,
            exit_code=ended.code, detail=ended.complaint or (str(end["detail"]) if end is not None else ""),
            workspace=self.task.workspace or "", turns=tally.turns, tokens_sent=sent, tokens_evaluated=evaluated,
            tokens_out=out, model_s=round(tally.model_s, 3), wall_s=wall_s, reloads=tally.reloads,
            host=socket.gethostname(), model=self.context.model, digest=self.context.digest, version=__version__,
            session=tally.session,
        )  # fmt: skip


def remove_leftovers(context: AttemptContext, is_kept: Callable[[str], bool]) -> None:
    """Remove the copies of tasks whose result was kept just before the batch was killed; raises OSError."""
    for folder in context.folder.iterdir():
        if is_kept(folder.name):
            discard(context.state_dir, folder, folder / "workspace")


def require_setup_is_wanted(count: int, *, yes: bool) -> None:
    """Raise `UsageError` where tasks have a setup command and the user has not said --yes."""
    if count and not yes:
        raise UsageError(
            f"{count} tasks have a setup command, which runs in the sandbox with the network (the internet, and "
            "servers on this machine)",
            fix="Say --yes to run them",
        )
