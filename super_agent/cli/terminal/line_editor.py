"""The few keys a line typed below a live view needs.

Not prompt_toolkit's: its prompt draws itself and reads the keys, and here a live view has the screen. Prompts are its.
"""

import re
import unicodedata

# What a key beyond the plain ones sends (arrows, function keys, Alt with a key), and an Escape on its own.
_KEYS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.|[^\x00-\x1f])?")
MAX_CHARS = 10_000
JOINERS = "\u200d\ufe0e\ufe0f"
"""A zero-width joiner makes one sign of two, a variation selector chooses how one looks (Unicode, UAX 29)."""


class LineEditor:
    """Takes what was typed, keeps the line so far in `text`, gives finished lines."""

    def __init__(self) -> None:
        self.text = ""

    def feed(self, typed: str) -> list[str | None]:
        """The lines this finished, oldest first; None is Ctrl-D on an empty line."""
        finished: list[str | None] = []
        for char in _KEYS.sub("", typed.replace("\r\n", "\n")):
            if char in "\r\n":
                finished.append(self.take())
            elif char == "\x04" and not self.text:
                finished.append(None)
            else:
                self._edit(char)
        return finished

    def take(self) -> str:
        """The line so far, which then is empty."""
        text, self.text = self.text, ""
        return text

    def _edit(self, char: str) -> None:
        if char in "\x7f\b":
            self.text = _without_last(self.text)
        elif char == "\x15":  # Ctrl-U
            self.text = ""
        elif char == "\x17":  # Ctrl-W
            self.text = re.sub(r"\S*\s*\Z", "", self.text)
        elif (char.isprintable() or char in JOINERS or char == "\t") and len(self.text) < MAX_CHARS:
            self.text += " " if char == "\t" else char


def _without_last(text: str) -> str:
    """Without the last sign as it is seen: a letter with its marks, a pair of flags' letters, an emoji of several."""
    end = len(text) - 1
    while end > 0 and (_belongs_to_the_one_before(text[end]) or text[end - 1] == JOINERS[0]):
        end -= 1
    if end > 0 and all(_is_flag_letter(char) for char in text[end - 1 : end + 1]):
        letters = len(text[: end + 1]) - len(text[: end + 1].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        end -= 1 - letters % 2
    return text[: max(end, 0)]


def _belongs_to_the_one_before(char: str) -> bool:
    return char in JOINERS or unicodedata.category(char) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
