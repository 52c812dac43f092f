"""The few keys a line typed below a live view needs."""

import re

# What a key beyond the plain ones sends (arrows, function keys, Alt with a key), and an Escape on its own.
_KEYS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.|[^\x00-\x1f])?")
MAX_CHARS = 10_000


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
            self.text = self.text[:-1]
        elif char == "\x15":  # Ctrl-U
            self.text = ""
        elif char == "\x17":  # Ctrl-W
            self.text = re.sub(r"\S*\s*\Z", "", self.text)
        elif (char.isprintable() or char == "\t") and len(self.text) < MAX_CHARS:
            self.text += " " if char == "\t" else char
