"""Numbers that an address or a form gives, where leaving out a wrong one would do something else than was asked."""

from collections.abc import Mapping

from super_agent.core.errors import UsageError
from super_agent.core.sanitize import sanitize

SHOWN_CHARS = 40
MOST_TURNS = 9999
MOST_OF_A_LIMIT = 10**9


def whole_number(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """None where there is none; raises `UsageError` for what is no number from `least` to `most`."""
    text = given.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise UsageError(
        f"{name} {sanitize(text)[:SHOWN_CHARS]!r} is no number that is possible here",
        fix=f"Give one from {least} to {most}, or none",
    )
