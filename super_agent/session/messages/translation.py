"""Texts in the language of a view: a text is its own key, and one with values in it is found by its pattern.

What has no translation yet is shown in English.

Not gettext or Babel: for one translation, a dictionary needs no catalogue to be extracted, compiled and shipped.
"""

import re
import string
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from super_agent.core.errors import SuperAgentError
from super_agent.core.settings import Language
from super_agent.session.messages.portuguese import PORTUGUESE
from super_agent.session.messages.portuguese.error_messages import ERRORS

_MARKS: Mapping[Language, Mapping[int, int]] = {"en": {}, "pt": str.maketrans(",.", ".,")}
"""From English marks of thousands and decimals to those of the language."""
SAID_AGAIN = ("detail", "how", "what", "reason")
"""Values that are sentences themselves."""
MOST_CHARS = 600
"""Of a sentence that is looked for; what is longer is the words of a program."""


class Translator(string.Formatter):
    """Gives texts and numbers in one language; to be called with a text."""

    def __init__(self, code: Language = "en") -> None:
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


english = Translator()
_PORTUGUESE = Translator("pt")


def translator_for(language: Language) -> Translator:
    """Gives texts in that language."""
    return english if language == "en" else _PORTUGUESE


def translate_sentence(text: str, say: Translator) -> str:
    """In the language of `say`; as it is where nobody has put it into that language."""
    known = say(text)
    if say.code == "en" or known != text or len(text) > MOST_CHARS:
        return known
    for form, pattern in _patterns().items():
        if found := pattern.fullmatch(text):
            values = {name: say(value) if name in SAID_AGAIN else value for name, value in found.groupdict().items()}
            return say.fill(form, **values)
    return text


def translate_sentences(texts: Iterable[str], say: Translator) -> str:
    """Several, in one line."""
    return "; ".join(translate_sentence(text, say) for text in texts)


def error_line(error: SuperAgentError, say: Translator = english) -> str:
    """What failed and what to do next, as one line."""
    what, fix = translate_sentence(error.what, say), translate_sentence(error.fix, say)
    return f"{what}. {fix}" if fix else what


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Of the sentences with values; those with the most words of their own first, as they say most."""
    forms = [form for form in ERRORS if "{" in form]
    return {form: _pattern(form) for form in sorted(forms, key=lambda form: len(re.sub(r"{\w+}", "", form)))[::-1]}


def _pattern(form: str) -> re.Pattern[str]:
    parts = [
        re.escape(words) + (f"(?P<{name}>.+?)" if name else "") for words, name, _, _ in string.Formatter().parse(form)
    ]
    return re.compile("".join(parts), re.DOTALL)
