"""The functions and classes that a task orders to be removed, moved or renamed, by name.

Only for what an attempt asks for first: nothing is taken out of a file because of it.
"""

import re

_ORDER = (
    r"remove|delete|drop|move|rename|remov(?:a|e|er)|apag(?:a|ue|ar)|exclu(?:a|i|ir)|elimin(?:e|a|ar)|mov(?:a|er)"
    r"|renome(?:ie|ia|ar)"
)
_KIND = (
    r"the|a|an|all|both|unused|dead|old|deprecated|functions?|methods?|class(?:es)?|that nothing uses|that nobody uses"
    r"|o|os|as|um|uma|função|funções|método|métodos|classes?|que ninguém usa|que nada usa"
)
_NAME = r"`(\w+)(?:\(\))?`(?:\s(?:in|from|of|em|de|do|da)\s`?[\w./-]{1,99}\.\w{1,9}\b`?)?"
_ORDERED = re.compile(
    rf"(?:^|[.:;,!?]\s|[-*]\s|\b(?:and|then|also|now|please|you|e|então|também)\s)(?:{_ORDER})"
    rf"(?:\s(?:{_KIND})){{0,4}}:?\s(?P<names>{_NAME}(?:,?\s(?:(?:and|or|e|ou)\s)?(?:(?:{_KIND})\s){{0,3}}{_NAME})*)",
    re.IGNORECASE | re.MULTILINE,
)
"""Only names in backquotes that stand right behind the order; a wrapped line counts as one."""


def taken_away(task: str) -> frozenset[str]:
    """What the task orders so; names with a dot are of methods, and left out."""
    return frozenset(name for order in _ORDERED.finditer(task) for name in re.findall(_NAME, order["names"]))
