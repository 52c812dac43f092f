"""The language of a view. A text is its own key, so what has no translation yet is shown in English.

Not gettext or Babel: for one translation, a dictionary needs no catalogue to be extracted, compiled and shipped.
"""

import string
from collections.abc import Mapping
from typing import Any, Literal

from super_agent.session.narrate.words import PORTUGUESE

Code = Literal["en", "pt"]
_MARKS: Mapping[Code, Mapping[int, int]] = {"en": {}, "pt": str.maketrans(",.", ".,")}
"""From English marks of thousands and decimals to those of the language."""


class Say(string.Formatter):
    """Gives texts and numbers in one language; to be called with a text."""

    def __init__(self, code: Code = "en") -> None:
        self.code = code
        self._words = PORTUGUESE if code == "pt" else {}

    def __call__(self, text: str) -> str:
        """The text, as it is where there is no other."""
        return self._words.get(text, text)

    def fill(self, text: str, **values: object) -> str:
        """The text with what stands in its braces; a number that has a form there is written as the language does."""
        return self.vformat(self(text), (), values)

    def number(self, value: float, form: str = ",") -> str:
        """In a form of `format`."""
        return format(value, form).translate(_MARKS[self.code])

    def format_field(self, value: Any, format_spec: str) -> str:
        """For `fill`."""
        return self.number(value, format_spec) if format_spec else str(value)


english = Say()
_PORTUGUESE = Say("pt")


def translator(language: Code) -> Say:
    """Gives texts in that language."""
    return english if language == "en" else _PORTUGUESE
