"""Whether a node may have tasks: its model and version, as Ray's labels, are the driver's; what differs, in words."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from super_agent import __version__
from super_agent.core.errors import ModelNotFound, ServerError, UsageError
from super_agent.core.instance.server_observation import model_digest, parallel_slots
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings

DIGEST, CONTEXT, VERSION = "super-agent-digest", "super-agent-context", "super-agent-version"
DIGEST_CHARACTERS = 32
"""A label holds 63."""
NAMED = 5
"""Nodes of one line; of more, so many are named and the rest counted."""


class NodeDiffers(ServerError):
    """The model here is not the one that the batch runs with."""


def expected(text: str) -> tuple[str, str, str]:
    """Digest, context and version (empty where it is not said) of `node --expect`; raises `UsageError`."""
    match text.split(":"):
        case [digest, context] if digest and context:
            return digest, context, ""
        case [digest, context, version] if digest and context and version:
            return digest, context, version
    raise UsageError(f"--expect={text}: allowed is DIGEST:CONTEXT:VERSION", fix="Copy it from what the head has said")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Digest (shortened) and baked-in context of a model on one server; `context` is `default` where none is."""

    digest: str
    context: str
    slots: int = 1

    @classmethod
    def ask(cls, settings: Settings) -> Self:
        """Of the settings' model on their server; raises `ServerError`."""
        with Ollama(settings) as server:
            details = server.show_local(settings.model)
            digest = model_digest(server, settings.model)
        if not digest:
            raise ModelNotFound(f"{settings.base_url} does not list {settings.model}", fix="super-agent up")
        slots = parallel_slots(settings, details.weights)
        short = digest.removeprefix("sha256:")[:DIGEST_CHARACTERS]
        return cls(short, str(details.num_ctx or "default"), slots)

    @property
    def expect(self) -> str:
        """What `node --expect` takes on the other machines."""
        return f"{self.digest}:{self.context}:{__version__}"

    @property
    def labels(self) -> dict[str, str]:
        """As a node carries them."""
        return {DIGEST: self.digest, CONTEXT: self.context, VERSION: __version__}

    def difference(self, labels: Mapping[str, str], keys: Collection[str]) -> str:
        """What of another's labels differs among `keys`, in words with both sides; empty where nothing does."""
        names = {DIGEST: "the model's digest", CONTEXT: "its context", VERSION: "super-agent's version"}
        return ", ".join(
            f"{names[key]} is {labels.get(key, 'not said')} there and {mine} here"
            for key, mine in self.labels.items()
            if key in keys and labels.get(key) != mine
        )


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
