"""Fences as those who draw Markdown see them (CommonMark 0.31, 4.5), line by line, while a reply still comes.

What a reply means is `fences.fences`, which has all of it and weighs readings.
"""

import re
from dataclasses import dataclass
from typing import Literal

LINE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<rest>.*)")


@dataclass(slots=True)
class FenceTracker:
    """Whether the lines so far end inside of a block: `mark` closes it, and is empty outside. `info` is its heading."""

    mark: str = ""
    info: str = ""

    def take(self, line: str) -> Literal["opens", "closes", ""]:
        """Take the next whole line, without its newline; what it does."""
        found = LINE.fullmatch(line)
        if found is None:
            return ""
        if not self.mark:
            if found["mark"][0] == "`" and "`" in found["rest"]:
                return ""
            self.mark, self.info = found["mark"], found["rest"].strip()
            return "opens"
        if found["mark"].startswith(self.mark) and not found["rest"].strip():
            self.mark = self.info = ""
            return "closes"
        return ""
