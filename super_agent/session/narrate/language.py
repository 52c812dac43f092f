"""The language of a view. A text is its own key, so what has no translation yet is shown in English.

Not gettext or Babel: for one translation, a dictionary needs no catalogue to be extracted, compiled and shipped.
"""

from collections.abc import Callable
from typing import Literal

from super_agent.session.narrate.portuguese import PORTUGUESE

Say = Callable[[str], str]
"""Gives a text in one language; where it has braces they are filled in afterwards."""


def english(text: str) -> str:
    """As it is."""
    return text


def translator(language: Literal["en", "pt"]) -> Say:
    """Gives a text in that language, or as it is where there is no other."""
    return english if language == "en" else lambda text: PORTUGUESE.get(text, text)
