"""What a task orders to be taken away, moved or renamed."""

import re

_SENTENCE = re.compile(r"[.;!?]\s|\n")
_WORD = re.compile(r"\w+")
_ORDER = re.compile(
    r"(?:^|[:,]\s*|\band\s+|\be\s+|\bplease\s+)"
    r"(?:remove|delete|drop|rename|move|remov[ae]|apag(?:a|ue)|renomei[ae]|mov[ae])\b",
    re.IGNORECASE,
)
"""As an order; a function called `remove` is none."""
_FAULT = re.compile(r"\b(?:bugs?|errors?|mistakes?|faults?|defects?|defeitos?|erros?|falhas?)\b", re.IGNORECASE)


def taken_away(task: str) -> frozenset[str]:
    """The words of the sentences that say so; not of one that is about a fault, whose function stays."""
    sentences = (each for each in _SENTENCE.split(task) if _ORDER.search(each) and not _FAULT.search(each))
    return frozenset(word for sentence in sentences for word in _WORD.findall(sentence))
