"""The driver's side of a cluster: its nodes, the packed workspaces, and the end of it."""

import asyncio
import hashlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from super_agent.batch.cluster.attempt_on_node import clean, discard_copy
from super_agent.batch.cluster.node_compatibility import VERSION, ModelFacts, Refusal, refusals
from super_agent.batch.cluster.node_selection import Failures
from super_agent.batch.cluster.ray_connection import ClusterFailed
from super_agent.batch.cluster.workspace_archive import pack
from super_agent.batch.driver import locks
from super_agent.batch.repositories import Repositories
from super_agent.batch.task_index import RELEVANT
from super_agent.batch.tasks import Task
from super_agent.batch.workspace_copies import copy_folder
from super_agent.core.settings import VARIABLES, Settings, variables_of

PACKED_AT_ONCE = 8
"""Workspaces held in Ray's store; tasks that share one follow one another."""
END_S = 20.0
"""For the nodes to remove what is left there; what they do not stays in their state folder."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A workspace in Ray's store."""

    digest: str
    reference: Any


@dataclass(slots=True)
class Cluster:
    """`ray` is the module, joined. Nodes whose model or version differ get no task, unless `any_model`."""

    ray: Any
    facts: ModelFacts
    folder: Path
    settings: Settings
    any_model: bool
    told: Callable[[str, int, str, bytes], None]
    """Is given each event of a run: task, attempt, host, line."""
    warn: Callable[[str], None]
    failures: Failures = field(default_factory=Failures)
    _packed: dict[str, Packed] = field(default_factory=dict)
    _locked: Callable[[str], asyncio.Lock] = field(default_factory=locks)
    _discards: list[Any] = field(default_factory=list)
    _discarding: threading.Lock = field(default_factory=threading.Lock)

    @property
    def batch(self) -> str:
        """The same for each start of the same batch, so that a node finds what it had begun."""
        return hashlib.sha256(f"{socket.gethostname()}:{self.folder}".encode()).hexdigest()[:16]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that a result depends on, as variables; an empty one takes away a node's own."""
        return {
            variable: text for variable, text in variables_of(self.settings).items() if VARIABLES[variable] in RELEVANT
        }

    @property
    def selector(self) -> dict[str, str]:
        """Labels that a task's node must have."""
        labels = self.facts.labels
        return {VERSION: labels[VERSION]} if self.any_model else labels

    def nodes(self) -> list[dict[str, Any]]:
        """Those that are alive and take tasks."""
        wanted = self.selector.items()
        return [node for node in self._alive() if wanted <= node["Labels"].items()]

    def slots(self) -> int:
        """Tasks at once on all of them; raises `ClusterFailed` where there is none."""
        found = int(sum(node["Resources"]["ollama"] for node in self.nodes()))
        if not found:
            raise self._none()
        return found

    def refused(self) -> list[Refusal]:
        """Of the nodes that get no task, by what they differ in."""
        return refusals(self.facts, self.selector, self._alive())

    async def packed(self, task: Task) -> Packed | None:
        """The task's workspace, packed once; None where it begins empty. Raises `UsageError`, OSError."""
        name = task.workspace or (f"{task.repo} {task.commit}" if task.repo is not None else "")
        if not name:
            return None
        async with self._locked(name):
            found = self._packed.pop(name, None)
            if found is None:
                data = await asyncio.to_thread(self._pack, task)
                found = Packed(hashlib.sha256(data).hexdigest()[:32], self._stored(data))
        self._packed[name] = found
        while len(self._packed) > PACKED_AT_ONCE:
            del self._packed[next(iter(self._packed))]
        return found

    def failed(self, task: str, node: str, line: str = "") -> None:
        """An attempt failed there and is repeated elsewhere; `line` tells what is wrong with the node, once."""
        self.failures.add(task, node)
        if line and self.failures.is_new(line):
            self.warn(line)

    def discard(self, node: str, name: str) -> None:
        """Have a node remove a task's copy; nobody waits for it before the end."""
        on_it = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        remote = self.ray.remote(discard_copy).options(num_cpus=0, max_retries=0, scheduling_strategy=on_it)
        with self._discarding:  # several tasks end at a time, each in a thread
            self._discards.append(remote.remote(self.batch, name))
            _, self._discards = self.ray.wait(self._discards, num_returns=len(self._discards), timeout=0)

    def close(self, *, finished: bool) -> None:
        """Leave the cluster, which ends what still runs; when the batch is `finished`, nodes remove what it left."""
        try:
            waited = list(self._discards)
            if finished:
                strategy = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
                for node in self.nodes():
                    where = strategy(node["NodeID"], soft=False)
                    remote = self.ray.remote(clean).options(num_cpus=0, max_retries=0, scheduling_strategy=where)
                    waited.append(remote.remote(self.batch))
            if waited:
                self.ray.wait(waited, num_returns=len(waited), timeout=END_S)
        finally:
            self.ray.shutdown()

    def _stored(self, data: bytes) -> Any:
        try:
            return self.ray.put(data)
        except self.ray.exceptions.RayError as error:  # its store in memory is full, and so is the disk behind it
            why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ClusterFailed(
                f"Ray's store here does not take a workspace of {len(data) >> 20} MiB: {why}",
                fix="Make room in Ray's folder, /tmp/ray where no other is set",
            ) from error

    def _none(self) -> ClusterFailed:
        refused = self.refused()
        if not refused:
            return ClusterFailed("the cluster has no node that takes tasks", fix="Start one with `super-agent node`")
        *others, last = refused
        return ClusterFailed(". ".join([*map(str, others), last.what]), fix=last.fix)

    def _alive(self) -> list[dict[str, Any]]:
        return [node for node in self.ray.nodes() if node["Alive"] and node["Resources"].get("ollama")]

    def _pack(self, task: Task) -> bytes:
        self.folder.joinpath("runs").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder / "runs", prefix=".pack-") as scratch:
            copy = Path(scratch) / "workspace"
            if task.repo is not None:
                Repositories(self.folder / "repos").write(task.repo, task.commit, copy)
            else:
                copy_folder(Path(task.workspace or ""), copy, self.folder)
            return pack(copy)


@dataclass(slots=True)
class Absence:
    """How long no node could take a task."""

    limit_s: float = 60.0
    _since: float | None = None

    def too_long(self, *, there: bool) -> bool:
        """Told what is seen now."""
        if there:
            self._since = None
            return False
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since > self.limit_s
