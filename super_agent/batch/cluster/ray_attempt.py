"""One attempt on some node, as the driver sees it. What Ray says of a lost node becomes a failure that is repeated."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from super_agent import __version__
from super_agent.batch.cluster.attempt_on_node import carry_out
from super_agent.batch.cluster.node_messages import AttemptRequest, Begun, EventLine, Result
from super_agent.batch.cluster.node_selection import selector
from super_agent.batch.cluster.ray_cluster import Absence, Cluster, Packed
from super_agent.batch.driver import Start
from super_agent.batch.event_tally import Tally
from super_agent.batch.results_file import TRANSIENT
from super_agent.batch.run_process import GRACE_S
from super_agent.batch.task_index import IndexedTask
from super_agent.batch.tasks import Task
from super_agent.core.batches.attempts import OUTCOMES, Attempt
from super_agent.core.errors import ExitCode, SuperAgentError

LOOK_S = 3.0
"""Between two looks at the nodes while a task waits for one."""


class NodeSilent(Exception):
    """The node is no more in the cluster, or there is none."""


class Unfinished(Exception):
    """What the node sent ended without a result, as it does where the attempt is cancelled."""


@dataclass(slots=True, eq=False)
class RayAttempt:
    """A `Running` on a cluster."""

    cluster: Cluster
    task: Task
    hash: str
    number: int
    _stream: Any = None
    _begun: Begun | None = None
    _stopped: bool = False
    _tally: Tally = field(default_factory=Tally)
    _avoided: frozenset[str] = frozenset()
    """Nodes where an earlier attempt failed."""

    def stop(self) -> None:
        """End the run on its node, which keeps what can be gone on with; after a while its process is killed."""
        self._stopped = True
        self._cancel(force=False)
        asyncio.get_running_loop().call_later(GRACE_S + 5, lambda: self._cancel(force=True))

    async def run(self) -> tuple[Attempt, bytes] | None:
        """The attempt and its patch, or None where it was stopped. Raises OSError where the driver's disk fails."""
        started = time.monotonic()
        try:
            packed = await self.cluster.packed(self.task)
        except SuperAgentError as error:
            return self._failed(error.exit_code, str(error), started), b""
        self._avoided = await asyncio.to_thread(self.cluster.failures.avoided, self.task.id, self._alive)
        if self._stopped:
            return None
        self._stream = self._placed(packed)
        try:
            result = await self._read()
        except (NodeSilent, Unfinished, self.cluster.ray.exceptions.RayError) as error:
            if self._stopped:
                return None
            return self._failed(ExitCode.EXECUTOR, self._lost(error), started), b""
        finally:
            self._stream = None
        self._judge(result)
        if result.attempt is None:
            return None if self._stopped else (self._failed(ExitCode.EXECUTOR, "ended by its node", started), b"")
        wall_s = round(time.monotonic() - started, 3)
        transport_s = round(wall_s - result.attempt.wall_s, 3)
        own = {"workspace": self.task.workspace or "", "wall_s": wall_s, "transport_s": transport_s}
        return result.attempt.model_copy(update=own), result.patch

    def discard(self) -> None:
        """Have the node remove its copy."""
        if self._begun is not None:
            self.cluster.discard(self._begun.node, self.task.id)

    def _placed(self, packed: Packed | None) -> Any:
        """The order given to Ray, and the stream of what its node sends."""
        order = AttemptRequest(
            self.cluster.batch, self.task, self.hash, self.number, self.cluster.environment,
            packed.digest if packed is not None else "", self.cluster.facts.digest,
        )  # fmt: skip
        # No processor is reserved: the model's slots are what is scarce, here as on one machine.
        remote = self.cluster.ray.remote(carry_out).options(
            num_cpus=0, resources={"ollama": 1}, max_retries=0, num_returns="streaming",
            label_selector=selector(self.cluster.selector, self._avoided), name=self.task.id,
        )  # fmt: skip
        return remote.remote(order, packed.reference if packed is not None else None)

    async def _read(self) -> Result:
        """Everything that the node sends; raises `RayError`, `NodeSilent` or `Unfinished` where no result comes."""
        absence, items = Absence(), self._stream.__aiter__()
        while True:
            coming = asyncio.ensure_future(anext(items))
            try:
                while not (await asyncio.wait({coming}, timeout=LOOK_S))[0]:
                    await self._look(absence)
            finally:
                coming.cancel()
            try:
                item = await coming.result()
            except StopAsyncIteration:
                raise Unfinished from None
            if isinstance(item, Result):
                return item
            if isinstance(item, Begun):
                self._begun = item
            elif isinstance(item, EventLine):
                self._tally.take_line(item.line)
                host = self._begun.host if self._begun is not None else ""
                self.cluster.told(self.task.id, self.number, host, item.line)

    async def _look(self, absence: Absence) -> None:
        """Raise `NodeSilent` where the cluster has given up the node, or has long had none for the task.

        A machine that went without a word leaves its connections open, so nothing else would end the waiting.
        """
        alive = await asyncio.to_thread(self._alive)
        if self._begun is not None and self._begun.node not in alive:
            raise NodeSilent
        if self._begun is None and absence.too_long(there=bool(alive - self._avoided)):
            self._cancel(force=False)
            raise NodeSilent

    def _alive(self) -> set[str]:
        return {node["NodeID"] for node in self.cluster.nodes()}

    def _judge(self, result: Result) -> None:
        """Keep where it failed, so that it is tried again on another node."""
        if result.attempt is None or result.attempt.exit_code not in TRANSIENT:
            self.cluster.failures.forget(self.task.id)
        elif self._begun is not None:
            line = f"{self._begun.named}: {result.fault}" if result.fault else ""
            self.cluster.failed(self.task.id, self._begun.node, line)

    def _cancel(self, *, force: bool) -> None:
        if self._stream is not None:
            with suppress(ValueError):  # it has just ended
                self.cluster.ray.cancel(self._stream, force=force)

    def _lost(self, error: Exception) -> str:
        """What became of an attempt whose node is gone, or that none took."""
        if self._begun is None:
            return f"no node took the task ({type(error).__name__})"
        line = f"{self._begun.named} was lost ({type(error).__name__})"
        self.cluster.failed(self.task.id, self._begun.node, line)
        return line

    def _failed(self, code: ExitCode, detail: str, started: float) -> Attempt:
        return Attempt(
            id=self.task.id, hash=self.hash, attempt=self.number, final=True, outcome=OUTCOMES[int(code)],
            reason="error", exit_code=int(code), detail=detail, workspace=self.task.workspace or "",
            turns=self._tally.turns, model_s=round(self._tally.model_s, 3),
            wall_s=round(time.monotonic() - started, 3), host=self._begun.host if self._begun is not None else "",
            model=self.cluster.settings.model, digest=self.cluster.facts.digest, version=__version__,
            session=self._tally.session,
        )  # fmt: skip


def remote(cluster: Cluster) -> Start:
    """Attempts on the cluster's nodes."""

    def start(task: Task, entry: IndexedTask, number: int) -> RayAttempt:
        return RayAttempt(cluster, task, entry.hash, number)

    return start
