"""What travels between the driver and a node: an order one way, then events and one result the other way."""

from collections.abc import Mapping
from dataclasses import dataclass

from super_agent.batch.tasks import Task
from super_agent.core.batches.attempts import Attempt


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """One attempt. `batch` names the node's folder for it; `archive` is the digest of the packed workspace, or empty.

    `environment` holds the settings that a result depends on, as variables, so that a node's own do not count.
    """

    batch: str
    task: Task
    hash: str
    number: int
    environment: Mapping[str, str]
    archive: str
    digest: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The first that a node sends: it has the task."""

    node: str
    """Ray's id of the node."""
    host: str

    @property
    def named(self) -> str:
        """As a line says it."""
        return f"node {self.host} ({self.node[:8]})"


@dataclass(frozen=True, slots=True)
class EventLine:
    """A line of the run's `--json`."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The last that a node sends; `attempt` is None where the run was stopped."""

    attempt: Attempt | None
    patch: bytes = b""
    fault: str = ""
    """What of the node itself failed, as its disk, so that every task there would; empty else."""
