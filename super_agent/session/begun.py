"""What a run was asked, kept before it is recorded: killed before its first turn, it is begun again from it."""

import json
from dataclasses import dataclass

from super_agent.core.state import SessionFolder, write_durably
from super_agent.session.run_state import RunState

FILE = "begun.json"


@dataclass(frozen=True, slots=True)
class Begun:
    """The state before anything was done, and what is to be run before the first turn."""

    state: RunState
    setup: str | None
    yes: bool
    trust_instructions: bool = False


def keep_begun(folder: SessionFolder, begun: Begun) -> None:
    """Raises OSError."""
    facts = {"state": begun.state.to_json(), "setup": begun.setup, "yes": begun.yes}
    facts["trust_instructions"] = begun.trust_instructions
    write_durably(folder.path / FILE, json.dumps(facts).encode())


def begun(folder: SessionFolder) -> Begun | None:
    """None where nothing was kept: a conversation, or a run of an older version. Raises `UsageError`."""
    try:
        facts = json.loads((folder.path / FILE).read_bytes())
    except FileNotFoundError:
        return None
    return Begun(
        RunState.from_json(facts["state"]), facts["setup"], facts["yes"], facts.get("trust_instructions", False)
    )
