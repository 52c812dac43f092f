"""What every request to the server shares: who asks, bodies as bytes, lines out of bytes."""

import json
from dataclasses import dataclass, field

from super_agent.core.settings import Settings

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A line longer than any reply could be is not a reply."""


def authorization(settings: Settings) -> dict[str, str]:
    """The header a server behind a key asks for."""
    return {} if settings.api_key is None else {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}


def encoded(body: object) -> bytes:
    """A request body. A lone surrogate, which UTF-8 cannot hold, becomes `?` instead of an error."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(slots=True)
class LineReader:
    """Splits a byte stream into lines, however it is cut; a multi-byte character is never torn."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends; raises ValueError for a line over 16 MiB."""
        # Appended in place: adding each piece of a long line to a new string would cost its length squared.
        self._rest += data
        lines: list[bytes] = []
        if b"\n" in data:
            *whole, last = bytes(self._rest).split(b"\n")
            lines, self._rest = [line.rstrip(b"\r") for line in whole], bytearray(last)
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {MAX_LINE_BYTES} bytes")
        return lines

    def end(self) -> bytes:
        """What came after the last line end."""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest
