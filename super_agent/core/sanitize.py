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
# C0 and C1 controls, and the marks that reorder text; newline and tab stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def sanitize(text: str) -> str:
    """Escapes removed, a carriage return as a new line, other control characters as U+FFFD."""
    text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    return _CONTROLS.sub(lambda match: "\n" if match[0] == "\r" else "\ufffd", text)


def printable_path(path: str) -> str:
    """A path on one line, whatever bytes its name has."""
    text = sanitize(os.fsencode(path).decode("utf-8", "replace"))
    return text.replace("\n", "\ufffd")
