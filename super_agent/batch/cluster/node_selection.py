"""Where a task's next attempt may go: not to a node where one failed before, as long as there is another."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

NODE_LABEL = "ray.io/node-id"
"""Ray gives it to each node itself."""


@dataclass(slots=True)
class Failures:
    """Of each task the nodes (Ray's ids) where an attempt failed that is repeated, and what has been said of nodes."""

    _nodes: dict[str, set[str]] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def add(self, task: str, node: str) -> None:
        """An attempt failed there."""
        self._nodes.setdefault(task, set()).add(node)

    def forget(self, task: str) -> None:
        """It has its result."""
        self._nodes.pop(task, None)

    def avoided(self, task: str, alive: Callable[[], Collection[str]]) -> frozenset[str]:
        """Nodes that are not to have the task again; none where no other of the living ones would be left."""
        failed = self._nodes.get(task, set())
        return frozenset(failed) if failed and set(alive()) - failed else frozenset()

    def is_new(self, line: str) -> bool:
        """Whether this is to be said of a node: a full disk fails every task there in the same way."""
        known = line in self._said
        self._said.add(line)
        return not known


def selector(labels: Mapping[str, str], avoided: Collection[str]) -> dict[str, str]:
    """The label selector of a task: nodes with these labels, without the avoided ones."""
    return {**labels, **({NODE_LABEL: f"!in({','.join(sorted(avoided))})"} if avoided else {})}
