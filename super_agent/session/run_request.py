"""What a run was asked, kept before it is recorded: killed before its first turn, it is begun again from it."""

import json
from dataclasses import dataclass

from super_agent.core.state import SessionFolder, write_durably
from super_agent.session.run_state import RunState

FILE = "begun.json"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The state before anything was done, and what is to be run before the first turn."""

    state: RunState
    setup: str | None
    yes: bool
    trust_instructions: bool = False


def keep_request(folder: SessionFolder, request: RunRequest) -> None:
    """Raises OSError."""
    facts = {"state": request.state.to_json(), "setup": request.setup, "yes": request.yes}
    facts["trust_instructions"] = request.trust_instructions
    write_durably(folder.path / FILE, json.dumps(facts).encode())


def kept_request(folder: SessionFolder) -> RunRequest | None:
    """None where nothing was kept: a conversation, or a run of an older version. Raises `UsageError`."""
    try:
        facts = json.loads((folder.path / FILE).read_bytes())
    except FileNotFoundError:
        return None
    return RunRequest(
        RunState.from_json(facts["state"]), facts["setup"], facts["yes"], facts.get("trust_instructions", False)
    )
