"""What the line above a block says of it: that it is not to be done, or that it only shows the form of something."""

import re

_WORDS = r"(?:it|this|that|the following|like|so|code|block|command|isto|isso|assim|este|o|seguinte|código|comando)"
_PATH = re.compile(r"(?: (?:in|to|into|em|no))? `[^`]*`|\*\*")
_WARNS = re.compile(
    r"^\W*(?:wrong|incorrect|bad|errado|incorreto|ruim)(?: (?:way|code|version|approach|example))?\W*$"
    r"|^\W*(?:this|that|the following|isto|isso)(?: \w+)? (?:is|would be|é|está|seria)"
    r" (?:wrong|incorrect|broken|errado|incorreto)\W*$"
    r"|\b(?:do not|don['’]t|never|não|nunca) (?:do|write|use|apply|copy|run|execute|faça|escreva|aplique|copie|rode)"
    rf"(?: {_WORDS})*\W*$",
    re.IGNORECASE,
)
_SHOWS = re.compile(r"\b(?:for example|for instance|e\.g|looks? like|example|por exemplo|exemplo)\b", re.IGNORECASE)
WARNED = "the line above says that it is not to be done"
SHOWN = "the line above says that it is an example"


def warns(above: str) -> bool:
    """Whether a block below this line is what not to do. A path in the line is no part of what is said."""
    return _WARNS.search(_PATH.sub("", above)) is not None


def shows(above: str) -> bool:
    """Whether a call or command below this line is an example. Files are often headed so and meant all the same."""
    return warns(above) or _SHOWS.search(_PATH.sub("", above)) is not None


def line_above(text: str, position: int) -> str:
    """The last line that holds text before the line of that position."""
    before = text[: text.rfind("\n", 0, position) + 1].rstrip()
    return before[before.rfind("\n") + 1 :]
