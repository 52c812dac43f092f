"""The functions and classes that a task orders to be removed, moved or renamed, by name."""

import re
from dataclasses import dataclass

_REMOVE = r"remove|delete|drop|remov(?:a|e|er)|apag(?:a|ue|ar)|exclu(?:a|i|ir)|elimin(?:e|a|ar)"
_ELSEWHERE = r"move|rename|mov(?:a|er)|renome(?:ie|ia|ar)"
_KIND = (
    r"the|a|an|all|both|unused|dead|old|deprecated|functions?|methods?|class(?:es)?|constants?|that|which|nothing|nobody"
    r"|uses|is|are|not|used|and|o|os|as|um|uma|função|funções|método|métodos|classes?|constantes?|que|ninguém|nada|usa"
)
_NAME = r"`(\w+)(?:\(\))?`(?:\s+(?:in|from|of|em|de|do|da)\s+`?[\w./-]+\.\w+`?)?"
_ORDERED = re.compile(
    rf"(?:^|[.:;,!?]\s*|[-*]\s+|\b(?:and|then|also|now|please|you|e|então|também)\s+)(?:(?P<remove>{_REMOVE})|{_ELSEWHERE})"
    rf"(?:\s+(?:{_KIND}))*\s*:?\s*(?P<names>{_NAME}(?:(?:\s*,\s*|\s+)(?:(?:and|or|e|ou)\s+)?(?:(?:{_KIND})\s+)*{_NAME})*)",
    re.IGNORECASE | re.MULTILINE,
)
"""Only names in backquotes that stand right behind the order: a name that is lost costs more than one that stays."""


@dataclass(frozen=True, slots=True)
class TakenAway:
    """Names; `removed` are those that are to be nowhere, `all` those too that go elsewhere or are called otherwise."""

    removed: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()


def taken_away(task: str) -> TakenAway:
    """What the task orders so; names with a dot are of methods, and left out."""
    removed: set[str] = set()
    found: set[str] = set()
    for order in _ORDERED.finditer(task):
        names = re.findall(_NAME, order["names"])
        found.update(names)
        removed.update(names if order["remove"] else ())
    return TakenAway(frozenset(removed), frozenset(found))
