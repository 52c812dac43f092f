"""What an address or a form gives: its fields, and the numbers among them."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from super_agent.core.errors import UsageError
from super_agent.core.sanitize import sanitize

SHOWN_CHARS = 40
MOST_TURNS = 9999
MOST_OF_A_LIMIT = 10**9
MOST_OF_A_FORM = 1 << 20
"""Bytes; a task may be long, and so may code that was changed."""


def whole_number(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """None where there is none; raises `UsageError` for what is no number from `least` to `most`.

    Leaving out a wrong one would do something else than was asked.
    """
    text = given.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise UsageError(
        f"{name} {sanitize(text)[:SHOWN_CHARS]!r} is no number that is possible here",
        fix=f"Give one from {least} to {most}, or none",
    )


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name; raises `HTTPException` for one that is too large."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MOST_OF_A_FORM:
            raise HTTPException(413, "That is too long.")
    return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))


def number_or_zero(text: str | None) -> int:
    """A position that a browser gives back; a wrong one is none."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 16 else 0
