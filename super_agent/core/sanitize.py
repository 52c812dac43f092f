"""Text of a model or of running code, without what would steer a terminal."""

import os
import re

# CSI, OSC (ended by BEL or ST), DCS and kin, other escapes: a title or a link set by code must not reach a terminal.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)?"
    r"|\x1b[PX^_][^\x1b\n]{0,4096}(?:\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)
# The beginning of an escape, or of \r\n, at the end of a text.
_OPEN = re.compile(r"(?:\r|\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]{0,4096}\x1b?|[ -/]*))\Z")
# C0 and C1 controls, and the marks that reorder text; newline and tab stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def sanitize(text: str) -> str:
    """Escapes removed, a carriage return as a new line, other control characters as U+FFFD."""
    text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    return _CONTROLS.sub(lambda match: "\n" if match[0] == "\r" else "\ufffd", text)


class StreamSanitizer:
    """Text that comes in pieces: what may be the beginning of an escape waits for the piece that decides it."""

    def __init__(self) -> None:
        self._open = ""

    def feed(self, piece: str) -> str:
        """What can be shown now, sanitized."""
        text = self._open + piece
        opened = _OPEN.search(text)
        cut = opened.start() if opened else len(text)
        self._open = text[cut:]
        return sanitize(text[:cut])

    def drop(self) -> None:
        """Forget what waits."""
        self._open = ""


def printable_path(path: str) -> str:
    """A path on one line, whatever bytes its name has."""
    text = sanitize(os.fsencode(path).decode("utf-8", "replace"))
    return text.replace("\n", "\ufffd")
