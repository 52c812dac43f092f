"""The state of a run at a turn boundary, as one JSON text: all that `resume` needs to go on where it stood."""

import functools
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from interpreter.conversation import Conversation
from interpreter.solo import SoloState
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import UsageError
from super_agent.core.model.middleware import Totals
from super_agent.core.store.codec import to_text
from super_agent.team.transcript import Transcript

VERSION = 2


@dataclass(frozen=True, slots=True)
class TeamState:
    """What a team knows; `began_green` says whether the check passed before the first turn."""

    transcript: Transcript
    began_green: bool = False


@dataclass(frozen=True, slots=True)
class WorkState:
    """What the team or the executor alone knows, and the executor's conversation in both cases."""

    conversation: Conversation = field(default_factory=Conversation)
    team: TeamState | None = None
    solo: SoloState | None = None


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
    limits: dict[str, int | float | None]
    work: WorkState = field(default_factory=WorkState)
    turns: int = 0
    elapsed_s: float = 0.0
    totals: dict[ClientKind, Totals] = field(default_factory=dict)
    mcp: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line of JSON; `from_json` gives an equal state back. A run's start does not wait for an adapter."""
        return to_text({"version": VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> "RunState":
        """What this version or an earlier one wrote; raises `UsageError` for anything else."""
        try:
            data: dict[str, Any] = json.loads(text)
            version = data.pop("version")
            if version == 1:
                data = _from_version_1(data)
            elif version != VERSION:
                raise _of_another_version()
            return _adapter().validate_python(data)
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            raise _of_another_version() from error


def _of_another_version() -> UsageError:
    return UsageError("this session was kept by another version of super-agent", fix="Resume it with that one")


@functools.cache
def _adapter() -> TypeAdapter[RunState]:
    return TypeAdapter(RunState)


def _from_version_1(data: dict[str, Any]) -> dict[str, Any]:
    """There `work` held JSON texts in JSON: a transcript's entries or solo's state, and the conversation."""
    old = data["work"]
    work: dict[str, Any] = {"conversation": json.loads(old["conversation"])} if old["conversation"] else {}
    if old["work"] and data["mode"] == "team":
        transcript = {"entries": json.loads(old["work"])}
        work["team"] = {"transcript": transcript, "began_green": old["began_green"]}
    elif old["work"]:
        work["solo"] = json.loads(old["work"])
    return {**data, "work": work}
