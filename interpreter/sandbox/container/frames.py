"""The frames that go to and from the agent in a container: a letter, a length of four bytes, so many bytes."""

import struct
from collections.abc import Iterator

HEADER = struct.Struct("!cI")
MAX_PAYLOAD_BYTES = 1024 * 1024
"""The agent sends a quarter of that at most; more means that something else writes to its stdout."""
FROM_AGENT = frozenset({b"H", b"O", b"A", b"X"})
"""Hello, output, answer, exit code."""


class FrameBroken(Exception):
    """What came is not in the protocol's form."""


def frames(kind: bytes, payload: bytes) -> bytes:
    """A message as bytes, in as many frames as its length needs."""
    pieces = [payload[at : at + MAX_PAYLOAD_BYTES] for at in range(0, len(payload), MAX_PAYLOAD_BYTES)] or [b""]
    return b"".join(HEADER.pack(kind, len(piece)) + piece for piece in pieces)


class FrameReader:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames that are complete now, as letter and payload; raises `FrameBroken` after those that are whole."""
        self._data += data
        while len(self._data) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._data)
            if kind not in FROM_AGENT or length > MAX_PAYLOAD_BYTES:
                raise FrameBroken(f"{kind!r} with {length} bytes is no frame")
            end = HEADER.size + length
            if len(self._data) < end:
                return
            payload = bytes(self._data[HEADER.size : end])
            del self._data[:end]
            yield kind, payload
