"""What a run that stopped at a limit needs to go on."""

from collections.abc import Mapping

from super_agent.core.events import EndReason

MORE: Mapping[EndReason, str] = {
    "no_progress": ' "what to do instead"',
    "turn_limit": " --more-turns N",
    "time_limit": " --max-time SECONDS",
    "token_limit": " --max-tokens N",
    "interrupted": "",
    "error": "",
}
"""What a run that ended so needs to go on; one that was done is not in it."""
