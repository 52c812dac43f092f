"""Output of running code: made harmless as it streams, and kept as head and tail within a limit."""

import codecs
from typing import Protocol

from super_agent.core.sanitize import StreamSanitizer, sanitize

MAX_WHOLE_BYTES = 256 * 1024 * 1024
"""Of one run, in the session's file: a flood must not fill the disk that the sandbox itself may not fill."""


class Writable(Protocol):
    """What takes a whole output, as a file opened for writing does."""

    def write(self, data: bytes, /) -> int:
        """How many bytes it took."""


class OutputLimiter:
    """Takes raw output in pieces; keeps head and tail of at most `limit_bytes`, counts the rest."""

    def __init__(self, limit_bytes: int, whole: Writable | None = None, max_whole_bytes: int = MAX_WHOLE_BYTES) -> None:
        """`whole`, such as an open file, gets every byte as it came, up to `max_whole_bytes`."""
        self.total_bytes = 0
        self.whole_bytes = 0
        self._max_whole = max_whole_bytes
        self._head_limit = limit_bytes // 2
        self._tail_limit = limit_bytes - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self._whole = whole
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sanitizer = StreamSanitizer()

    def feed(self, data: bytes) -> str:
        """Take a piece; returns what of it is to be shown while it streams (nothing once the head is full)."""
        self.total_bytes += len(data)
        if self._whole is not None and self.whole_bytes < self._max_whole:
            self.whole_bytes += self._whole.write(data[: self._max_whole - self.whole_bytes])
        room = max(0, self._head_limit - len(self._head))
        shown, rest = data[:room], data[room:]
        self._head += shown
        if rest:
            self._tail += rest[-self._tail_limit :]
            if len(self._tail) > 4 * self._tail_limit:
                del self._tail[: -self._tail_limit]
        return self._sanitizer.feed(self._decoder.decode(shown)) if shown else ""

    @property
    def cut_bytes(self) -> int:
        """How many bytes `text` leaves out."""
        return max(0, self.total_bytes - len(self._head) - min(len(self._tail), self._tail_limit))

    def text(self) -> str:
        """Head and tail as harmless text, saying between them how much was cut."""
        head, tail = bytes(self._head), bytes(self._tail[-self._tail_limit :])
        if not self.cut_bytes:
            return sanitize((head + tail).decode("utf-8", "replace"))
        # At the two cuts half a character is nobody's fault; elsewhere bytes that are not UTF-8 show as such.
        head_text = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
        tail_text = _without_half_character(tail).decode("utf-8", "replace")
        return f"{sanitize(head_text)}\n… {self.cut_bytes} bytes left out …\n{sanitize(tail_text)}"


def _without_half_character(data: bytes) -> bytes:
    """Without the continuation bytes (at most 3, RFC 3629) of a character whose first byte was cut off."""
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:]
