"""The state of a run at a turn boundary, as one JSON text: all that `resume` needs to go on where it stood."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import UsageError
from super_agent.core.model.middleware import Totals

VERSION = 1


@dataclass(frozen=True, slots=True)
class WorkState:
    """What the team or the executor alone knows. `work` and `conversation` are JSON texts of their owners.

    `work` is the team's transcript, or solo's state; `conversation` is the executor's. `began_green` says whether the
    check passed before the first turn (team only: solo's state holds it).
    """

    work: str
    conversation: str
    began_green: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """A state to go on from, and what is to be said first.

    `note` tells what changed while nobody worked; `instruction` is what the user adds to a run that had ended; `lines`
    are what the user had typed in a turn that was not completed.
    """

    work: WorkState
    note: str = ""
    instruction: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunState:
    """A run at a turn boundary. `elapsed_s` is the wall time it had used, `totals` what its clients had cost.

    `mcp` names the servers whose tools it had.
    """

    mode: Literal["team", "solo", "exec"]
    task: str
    check: str | None
    python: str | None
    model: str
    base_url: str
    limits: dict[str, float | None]
    work: WorkState
    turns: int = 0
    elapsed_s: float = 0.0
    totals: dict[ClientKind, Totals] = field(default_factory=dict)
    mcp: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line of JSON; `from_json` gives an equal state back."""
        return json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "RunState":
        """Raises `UsageError` for what another version wrote."""
        data: dict[str, Any] = json.loads(text)
        if data.pop("version") != VERSION:
            raise UsageError("this session was kept by another version of super-agent", fix="Resume it with that one")
        totals = {kind: Totals(**counts) for kind, counts in data.pop("totals").items()}
        return cls(**{**data, "work": WorkState(**data["work"]), "totals": totals, "mcp": tuple(data.get("mcp", ()))})
