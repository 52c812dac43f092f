"""Sentences that were made in English, with their values in them, put into the language of a view."""

import re
import string
from collections.abc import Iterable, Mapping
from functools import cache

from super_agent.core.errors import SuperAgentError
from super_agent.session.narrate.language import Say, english
from super_agent.session.narrate.words.errors import ERRORS

SAID_AGAIN = ("detail", "how", "what", "reason")
"""Values that are sentences themselves."""
MOST_CHARS = 600
"""Of a sentence that is looked for; what is longer is the words of a program."""


def sentence(text: str, say: Say) -> str:
    """In the language of `say`; as it is where nobody has put it into that language."""
    known = say(text)
    if say.code == "en" or known != text or len(text) > MOST_CHARS:
        return known
    for form, pattern in _patterns().items():
        if found := pattern.fullmatch(text):
            values = {name: say(value) if name in SAID_AGAIN else value for name, value in found.groupdict().items()}
            return say.fill(form, **values)
    return text


def joined(texts: Iterable[str], say: Say) -> str:
    """Several, in one line."""
    return "; ".join(sentence(text, say) for text in texts)


def told(error: SuperAgentError, say: Say = english) -> str:
    """What failed and what to do next, as one line."""
    what, fix = sentence(error.what, say), sentence(error.fix, say)
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
