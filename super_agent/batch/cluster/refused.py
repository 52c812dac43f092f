"""Nodes that get no task, in words: which, what of their model or version differs, and what to do about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from super_agent.batch.cluster.facts import VERSION, ModelFacts

NAMED = 5
"""Nodes of one line; of more, so many are named and the rest counted."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """All nodes that differ in the same."""

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}. {self.fix}"


def refusals(mine: ModelFacts, wanted: Iterable[str], nodes: Iterable[Mapping[str, Any]]) -> list[Refusal]:
    """One for each difference, in the order of Ray's `nodes`; `wanted` are the labels that have to be the same."""
    keys, found = frozenset(wanted), dict[str, list[Mapping[str, Any]]]()
    for node in nodes:
        if difference := mine.difference(node["Labels"], keys):
            found.setdefault(difference, []).append(node)
    return [_refusal(mine, difference, differing) for difference, differing in found.items()]


def _refusal(mine: ModelFacts, difference: str, nodes: list[Mapping[str, Any]]) -> Refusal:
    names = ", ".join(f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})" for node in nodes[:NAMED])
    rest = f" and {len(nodes) - NAMED} more" if len(nodes) > NAMED else ""
    who = f"node {names} gets" if len(nodes) == 1 else f"nodes {names}{rest} get"
    if nodes[0]["Labels"].get(VERSION) != mine.labels[VERSION]:
        fix = "Install the same super-agent there, and run `super-agent node` there again"
    else:
        fix = "Make the model the same there, and run `super-agent node` there again; or say --any-model"
    return Refusal(f"{who} no task: {difference}", fix)
